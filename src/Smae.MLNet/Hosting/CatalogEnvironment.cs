using System.Runtime.CompilerServices;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace Smae.MLNet;

/// <summary>
/// The way from a catalog to the environment of the <see cref="MLContext"/> it belongs to. ML.NET 5 has no public one, so all that
/// depends on its internals stands here.
/// </summary>
internal static class CatalogEnvironment
{
    /// <summary>The environment that logs, draws seeds and holds the GPU settings for <paramref name="catalog"/>.</summary>
    public static IHostEnvironment Of(TransformsCatalog catalog)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return EnvironmentOf(catalog);
    }

    /// <inheritdoc cref="Of(TransformsCatalog)"/>
    public static IHostEnvironment Of(DataOperationsCatalog catalog) => EnvironmentOf(catalog);

    /// <inheritdoc cref="Of(TransformsCatalog)"/>
    public static IHostEnvironment Of(MulticlassClassificationCatalog.MulticlassClassificationTrainers catalog)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return EnvironmentOf(OwnerOf(catalog));
    }

    /// <summary>The settings <see cref="MLContext.GpuDeviceId"/> and <see cref="MLContext.FallbackToCpu"/> as they stand now.</summary>
    public static (int? DeviceId, bool FallbackToCpu) GpuSettings(IHostEnvironment environment) =>
        ((int?)Read(environment, nameof(MLContext.GpuDeviceId)), (bool)Read(environment, nameof(MLContext.FallbackToCpu))!);

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
