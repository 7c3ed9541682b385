using Smae.Training;
using DataType = Smae.Export.TensorProto.Types.DataType;

namespace Smae.Export;

/// <summary>Writes the way from an input of images to normalised patches, and back from patches to images of the input's kind.</summary>
/// <param name="graph">Where to.</param>
/// <param name="config">Size of images and patches.</param>
/// <param name="preprocessing">The normalisation.</param>
/// <param name="kind">What the input holds.</param>
internal sealed class ImageInput(GraphBuilder graph, VisionTransformerConfig config, ImagePreprocessing preprocessing, OnnxInput kind)
{
    private readonly long _rows = config.GridHeight, _columns = config.GridWidth, _patch = config.PatchSize, _channels = config.Channels;

    private bool IsPlanar => kind != OnnxInput.Bytes;

    private bool IsRaw => kind != OnnxInput.NormalizedPlanes;

    /// <summary>Dimensions of an image as the input has them.</summary>
    public long[] Shape => IsPlanar
        ? [_channels, config.ImageHeight, config.ImageWidth]
        : [config.ImageHeight, config.ImageWidth, _channels];

    /// <summary>Adds the input and cuts images into normalised patches.</summary>
    /// <param name="name">The input's name.</param>
    /// <returns><c>[batch, patches, patch * patch * channels]</c>, float32.</returns>
    public string WritePatches(string name)
    {
        string layout = IsPlanar ? "[batch, channels, height, width]" : "[batch, height, width, channels]";
        string what = IsRaw ? "Raw pixels, 0 to 255" : "Normalised pixels, (byte / 255 - mean) / deviation";
        string x = graph.Input(name, IsRaw ? DataType.Uint8 : DataType.Float, Shape, $"{what}: {layout}.");
        using GraphBuilder.Scope scope = graph.In("input");
        x = IsPlanar
            ? graph.Transpose(graph.Reshape(x, 0, _channels, _rows, _patch, _columns, _patch), 0, 2, 4, 3, 5, 1)
            : graph.Transpose(graph.Reshape(x, 0, _rows, _patch, _columns, _patch, _channels), 0, 1, 3, 2, 4, 5);
        x = graph.Reshape(x, 0, config.PatchCount, config.PatchDim);
        if (!IsRaw) return x;
        x = graph.Node("Sub", [graph.Cast(x, DataType.Float), Mean]);
        return graph.Node("Mul", [x, PerPatch("input.scale", preprocessing.StandardDeviation, s => 1 / (s * 255f))]);
    }

    /// <summary>Puts normalised patches together as images of the input's layout and scale.</summary>
    /// <param name="patches"><c>[batch, patches, patch * patch * channels]</c>, float32.</param>
    public string WriteImages(string patches)
    {
        string x = patches;
        if (IsRaw)
        {
            x = graph.Node("Mul", [x, PerPatch("output.scale", preprocessing.StandardDeviation, s => s * 255f)]);
            x = graph.Node("Add", [x, Mean]);
        }
        x = graph.Reshape(x, 0, _rows, _columns, _patch, _patch, _channels);
        x = IsPlanar ? graph.Transpose(x, 0, 5, 1, 3, 2, 4) : graph.Transpose(x, 0, 1, 3, 2, 4, 5);
        return graph.Reshape(x, [0, .. Shape]);
    }

    private string Mean => PerPatch("input.mean", preprocessing.Mean, m => m * 255f);

    /// <summary>A number for each channel, repeated over the pixels of a patch: long rows are what runtimes add and multiply fast.</summary>
    private string PerPatch(string name, IReadOnlyList<float> values, Func<float, float> scaled) => graph.Initializer(
        name, DataType.Float, () => Enumerable.Range(0, config.PatchDim).Select(i => scaled(values[i % config.Channels])).ToArray(), config.PatchDim);
}
