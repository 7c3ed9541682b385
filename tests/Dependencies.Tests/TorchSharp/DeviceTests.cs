using TorchSharp;
using static TorchSharp.torch;

namespace Dependencies.Tests.Torch;

/// <summary>Devices, types and threads.</summary>
[TestClass]
public class DeviceTests
{
    [TestMethod]
    public void Devices_have_names()
    {
        Assert.AreEqual("cpu", CPU.ToString());
        Assert.AreEqual(DeviceType.CPU, device("cpu").type);
        Assert.AreEqual("cuda:1", new Device("cuda:1").ToString());
        Assert.AreEqual("cuda", new Device(DeviceType.CUDA).ToString());
        using var x = zeros(1);
        Assert.AreEqual(DeviceType.CPU, x.device_type);
    }

    [TestMethod]
    public void Without_a_card_its_device_is_refused()
    {
        if (cuda.is_available()) Assert.Inconclusive("There is a card.");
        Assert.ThrowsExactly<InvalidOperationException>(() => device("cuda"));
        Assert.AreEqual(0, cuda.device_count());
    }

    [TestMethod]
    public void On_a_card_tensors_move_there_and_back()
    {
        if (!cuda.is_available()) Assert.Inconclusive("There is no card.");
        using var scope = NewDisposeScope();
        var x = arange(4, ScalarType.Float32).to(CUDA);
        Assert.IsTrue(x.is_cuda);
        cuda.synchronize();
        Values.AreClose([0, 1, 4, 9], (x * x).cpu());
    }

    [TestMethod]
    public void The_default_type_is_that_of_new_tensors()
    {
        Assert.AreEqual(ScalarType.Float32, get_default_dtype());
        Assert.AreEqual(0.0078125, finfo(ScalarType.BFloat16).eps);
        Assert.IsTrue(is_integral(ScalarType.Bool));
        Assert.IsTrue(is_floating_point(ScalarType.BFloat16));
        Assert.AreEqual(ScalarType.Float32, promote_types(ScalarType.Float32, ScalarType.Int64));
    }

    [TestMethod]
    public void Threads_can_be_counted() => Assert.IsGreaterThan(0, get_num_threads());

    [TestMethod]
    public void Scalars_keep_their_kind()
    {
        Assert.AreEqual(ScalarType.Int64, ((Scalar)1).Type);
        Assert.AreEqual(ScalarType.Float64, ((Scalar)1f).Type);
        Assert.AreEqual(ScalarType.Bool, ((Scalar)true).Type);
        Assert.AreEqual(2.5, ((Scalar)2.5).ToDouble());
    }
}
