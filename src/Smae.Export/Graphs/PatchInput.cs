using Smae.Training;
using DataType = Smae.Export.TensorProto.Types.DataType;

namespace Smae.Export;

/// <summary>Writes the way from an input of images to normalised patches, and back from patches to images of the input's kind.</summary>
/// <param name="graph">Where to.</param>
/// <param name="config">Size of images and patches.</param>
/// <param name="preprocessing">The normalisation.</param>
/// <param name="kind">What the input holds.</param>
internal sealed class PatchInput(GraphBuilder graph, VisionTransformerConfig config, ImagePreprocessing preprocessing, OnnxInput kind)
    : ImageInput(graph, preprocessing, kind)
{
    private readonly long _rows = config.GridHeight, _columns = config.GridWidth, _patch = config.PatchSize, _channels = config.Channels;

    /// <summary>Adds the input and cuts images into normalised patches.</summary>
    /// <param name="name">The input's name.</param>
    /// <returns><c>[batch, patches, patch * patch * channels]</c>, float32.</returns>
    public string WritePatches(string name)
    {
        string x = Write(name);
        using GraphBuilder.Scope scope = Graph.In("input");
        x = IsPlanar
            ? Graph.Transpose(Graph.Reshape(x, 0, _channels, _rows, _patch, _columns, _patch), 0, 2, 4, 3, 5, 1)
            : Graph.Transpose(Graph.Reshape(x, 0, _rows, _patch, _columns, _patch, _channels), 0, 1, 3, 2, 4, 5);
        x = Graph.Reshape(x, 0, config.PatchCount, config.PatchDim);
        if (!IsRaw) return x;
        x = Graph.Node("Sub", [Graph.Cast(x, DataType.Float), Mean]);
        return Graph.Node("Mul", [x, PerPatch("input.scale", Preprocessing.StandardDeviation, s => 1 / (s * 255f))]);
    }

    /// <summary>Puts normalised patches together as images of the input's layout and scale.</summary>
    /// <param name="patches"><c>[batch, patches, patch * patch * channels]</c>, float32.</param>
    public string WriteImages(string patches)
    {
        string x = patches;
        if (IsRaw)
        {
            x = Graph.Node("Mul", [x, PerPatch("output.scale", Preprocessing.StandardDeviation, s => s * 255f)]);
            x = Graph.Node("Add", [x, Mean]);
        }
        x = Graph.Reshape(x, 0, _rows, _columns, _patch, _patch, _channels);
        x = IsPlanar ? Graph.Transpose(x, 0, 5, 1, 3, 2, 4) : Graph.Transpose(x, 0, 1, 3, 2, 4, 5);
        return Graph.Reshape(x, [0, .. Shape]);
    }

    private string Mean => PerPatch("input.mean", Preprocessing.Mean, m => m * 255f);

    /// <summary>A number for each channel, repeated over the pixels of a patch: long rows are what runtimes add and multiply fast.</summary>
    private string PerPatch(string name, IReadOnlyList<float> values, Func<float, float> scaled) => Graph.Initializer(
        name, DataType.Float, () => Enumerable.Range(0, config.PatchDim).Select(i => scaled(values[i % config.Channels])).ToArray(), config.PatchDim);
}
