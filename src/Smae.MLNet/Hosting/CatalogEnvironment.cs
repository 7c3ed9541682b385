using System.Runtime.CompilerServices;
using TorchSharp;

namespace Smae.MLNet;

/// <summary>
/// The environment and the device of the <see cref="MLContext"/> that a catalog belongs to. ML.NET 5 has no public way from a catalog to it: what depends on
/// ML.NET's internals for that stands here.
/// </summary>
internal static class CatalogEnvironment
{
    /// <summary>The environment that logs, draws seeds and holds the GPU settings for <paramref name="catalog"/>.</summary>
    public static IHostEnvironment Of(TransformsCatalog catalog) => EnvironmentOf(catalog ?? throw new ArgumentNullException(nameof(catalog)));

    /// <inheritdoc cref="Of(TransformsCatalog)"/>
    public static IHostEnvironment Of(DataOperationsCatalog catalog) => EnvironmentOf(catalog);

    /// <inheritdoc cref="Of(TransformsCatalog)"/>
    public static IHostEnvironment Of(MulticlassClassificationCatalog.MulticlassClassificationTrainers catalog) =>
        EnvironmentOf(OwnerOf(catalog ?? throw new ArgumentNullException(nameof(catalog))));

    /// <summary>The settings <see cref="MLContext.GpuDeviceId"/> and <see cref="MLContext.FallbackToCpu"/> as they stand now.</summary>
    public static (int? DeviceId, bool FallbackToCpu) GpuSettings(IHostEnvironment environment) =>
        ((int?)Read(environment, nameof(MLContext.GpuDeviceId)), (bool)Read(environment, nameof(MLContext.FallbackToCpu))!);

    /// <summary>
    /// Null, which is the CPU, where the <see cref="MLContext"/> asks for no GPU, else the GPU asked for. One that is not there is replaced by the CPU with a
    /// warning if <see cref="MLContext.FallbackToCpu"/> is set.
    /// </summary>
    /// <exception cref="InvalidOperationException">The GPU asked for is not there and <see cref="MLContext.FallbackToCpu"/> is not set.</exception>
    public static torch.Device? Device(IHostEnvironment environment, IChannel channel)
    {
        var (wanted, fallback) = GpuSettings(environment);
        if (wanted is not { } id) return null;
        NativeTuning.Apply();   // before the first call into libtorch
        LibTorch.Require();
        int count = torch.cuda.is_available() ? torch.cuda.device_count() : 0;
        if (id >= 0 && id < count) return torch.device(DeviceType.CUDA, id);

        string problem = $"GpuDeviceId is {id}, but TorchSharp finds {(count == 0 ? "no usable CUDA device" : $"{count} CUDA device(s), numbered from 0")}.";
        if (!fallback)
            throw new InvalidOperationException(
                problem + " Reference the package TorchSharp-cuda-linux in the application (in this repository: build with " +
                "-p:Accelerator=cuda) and check the NVIDIA driver, set MLContext.FallbackToCpu to use the CPU instead, or leave " +
                "MLContext.GpuDeviceId null.");
        channel.Warning(MessageSensitivity.None, problem + " FallbackToCpu is set: going on with the CPU.");
        return null;
    }

    // A catalog holds ML.NET's internal LocalEnvironment, not the MLContext: both have these properties, and no public type declares them.
    private static object? Read(IHostEnvironment environment, string property)
    {
        var found = environment.GetType().GetProperty(property)
            ?? throw new NotSupportedException($"This version of ML.NET has no {property} on {environment.GetType().FullName}; Smae expects 5.0.");
        return found.GetValue(environment);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_env")]
    private static extern ref IHostEnvironment EnvironmentOf(TransformsCatalog catalog);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_env")]
    private static extern ref IHostEnvironment EnvironmentOf(DataOperationsCatalog catalog);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Owner")]
    private static extern TrainCatalogBase OwnerOf(TrainCatalogBase.CatalogInstantiatorBase catalog);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Environment")]
    private static extern IHostEnvironment EnvironmentOf(TrainCatalogBase catalog);
}

/// <summary>What a training takes from its <see cref="MLContext"/>, where several ranks train together too.</summary>
internal static class TrainingContext
{
    /// <summary>The options' seed; without one, the context draws it: the first rank's, for all.</summary>
    public static int SeedFrom(this TrainingOptions options, IHost host) =>
        options.Seed ?? options.Distributed?.FromFirst(host.Rand.Next) ?? host.Rand.Next();

    /// <summary>Writes lines to the context's log; on the first rank alone.</summary>
    public static Action<string> LogTo(this TrainingOptions options, IChannel channel) => message =>
    {
        if (options.Distributed is not { IsFirst: false }) channel.Info(MessageSensitivity.None, message);
    };
}
