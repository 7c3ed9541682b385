using System.Globalization;
using System.Text.Json;
using Smae.Training;

namespace Smae.Export;

/// <summary>The names of what an ONNX file of Smae tells about itself (<c>metadata_props</c>).</summary>
internal static class MetadataKeys
{
    public const string Kind = "kind", Height = "height", Width = "width", Channels = "channels", Mean = "mean", Deviation = "deviation",
        Resize = "resize", Input = "input", PatchSize = "patch_size", EmbedDim = "embed_dim", Precision = "precision", Flavor = "flavor",
        Pooling = "pooling", Output = "output", ClassNames = "class_names", WeightsHash = "weights_sha256", Version = "smae_version",
        MaxDifference = "max_difference", Tolerance = "tolerance";

    /// <summary>What is done to an image first, as metadata.</summary>
    public static IEnumerable<(string Key, string Value)> Of(ImagePreprocessing preprocessing)
    {
        static string Numbers(IReadOnlyList<float> numbers) =>
            "[" + string.Join(",", numbers.Select(n => n.ToString("R", CultureInfo.InvariantCulture))) + "]";
        yield return (Height, $"{preprocessing.Height}");
        yield return (Width, $"{preprocessing.Width}");
        yield return (Channels, $"{preprocessing.Channels}");
        yield return (Mean, Numbers(preprocessing.Mean));
        yield return (Deviation, Numbers(preprocessing.StandardDeviation));
        yield return (Resize, $"{preprocessing.Resize}");
    }

    /// <summary>Names of classes as a JSON array.</summary>
    public static string Names(IReadOnlyList<string> names) => JsonSerializer.Serialize(names);
}
