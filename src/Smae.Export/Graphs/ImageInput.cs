using Smae.Training;
using DataType = Smae.Export.TensorProto.Types.DataType;

namespace Smae.Export;

/// <summary>Writes the input of images and normalises them.</summary>
/// <param name="graph">Where to.</param>
/// <param name="preprocessing">Size and normalisation.</param>
/// <param name="kind">What the input holds.</param>
internal class ImageInput(GraphBuilder graph, ImagePreprocessing preprocessing, OnnxInput kind)
{
    /// <summary>Dimensions of an image as the input has them.</summary>
    public long[] Shape => IsPlanar
        ? [preprocessing.Channels, preprocessing.Height, preprocessing.Width]
        : [preprocessing.Height, preprocessing.Width, preprocessing.Channels];

    protected GraphBuilder Graph => graph;

    protected ImagePreprocessing Preprocessing => preprocessing;

    /// <summary>Whether a colour comes as a plane of its own.</summary>
    protected bool IsPlanar => kind != OnnxInput.Bytes;

    /// <summary>Whether the numbers are bytes.</summary>
    protected bool IsRaw => kind != OnnxInput.NormalizedPlanes;

    /// <summary>Adds the input.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The name.</returns>
    protected string Write(string name)
    {
        string layout = IsPlanar ? "[batch, channels, height, width]" : "[batch, height, width, channels]";
        string what = IsRaw ? "Raw pixels, 0 to 255" : "Normalised pixels, (byte / 255 - mean) / deviation";
        return graph.Input(name, IsRaw ? DataType.Uint8 : DataType.Float, Shape, $"{what}: {layout}.");
    }

    /// <summary>Adds the input and makes normalised planes of it.</summary>
    /// <param name="name">The input's name.</param>
    /// <returns><c>[batch, channels, height, width]</c>, float32.</returns>
    public string WritePlanes(string name)
    {
        string x = Write(name);
        using GraphBuilder.Scope scope = graph.In("input");
        if (!IsPlanar) x = graph.Transpose(x, 0, 3, 1, 2);
        if (!IsRaw) return x;
        string PerChannel(string constant, IReadOnlyList<float> values, Func<float, float> scaled) =>
            graph.Floats(constant, [.. values.Select(scaled)], values.Count, 1, 1);
        x = graph.Node("Sub", [graph.Cast(x, DataType.Float), PerChannel("input.mean", preprocessing.Mean, m => m * 255f)]);
        return graph.Node("Mul", [x, PerChannel("input.scale", preprocessing.StandardDeviation, s => 1 / (s * 255f))]);
    }
}
