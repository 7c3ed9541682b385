namespace Smae.MLNet.Tests;

[TestClass]
public class DeviceResolverTests
{
    // No machine has so many.
    private const int NoSuchGpu = 99;

    [TestMethod]
    public void No_gpu_asked_for_is_the_cpu()
    {
        Assert.IsNull(Resolve(new MLContext()));
    }

    [TestMethod]
    public void A_missing_gpu_is_an_error_that_tells_what_to_do()
    {
        var error = Assert.ThrowsExactly<InvalidOperationException>(() => Resolve(new MLContext { GpuDeviceId = NoSuchGpu }));
        StringAssert.Contains(error.Message, "99");
        StringAssert.Contains(error.Message, "TorchSharp-cuda-linux");
        StringAssert.Contains(error.Message, "FallbackToCpu");
    }

    [TestMethod]
    public void A_missing_gpu_falls_back_to_the_cpu_with_a_warning_where_that_is_allowed()
    {
        var ml = new MLContext { GpuDeviceId = NoSuchGpu, FallbackToCpu = true };
        var log = new LogRecorder(ml);
        Assert.IsNull(Resolve(ml));
        Assert.HasCount(1, log.Warnings);
        StringAssert.Contains(log.Warnings[0], "99");
    }

    [TestMethod]
    public void The_settings_are_those_of_the_moment()
    {
        var ml = new MLContext();
        var environment = CatalogEnvironment.Of(ml.Transforms);
        Assert.AreEqual((null, false), CatalogEnvironment.GpuSettings(environment));
        ml.GpuDeviceId = 1;
        ml.FallbackToCpu = true;
        Assert.AreEqual((1, true), CatalogEnvironment.GpuSettings(environment));
    }

    private static TorchSharp.torch.Device? Resolve(MLContext ml)
    {
        var environment = CatalogEnvironment.Of(ml.Transforms);
        using var channel = environment.Start("Test");
        return CatalogEnvironment.Device(environment, channel);
    }
}
