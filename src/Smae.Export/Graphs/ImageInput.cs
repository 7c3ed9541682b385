using Smae.Training;
using DataType = Smae.Export.TensorProto.Types.DataType;

namespace Smae.Export;

/// <summary>Writes the input of images, normalised as planes or as patches, and images of the input's layout and scale from patches.</summary>
internal sealed class ImageInput(GraphBuilder graph, ImagePreprocessing preprocessing, OnnxInput kind)
{
    private bool IsPlanar => kind != OnnxInput.Bytes;
    private bool IsRaw => kind != OnnxInput.NormalizedPlanes;

    public long[] Shape => IsPlanar
        ? [preprocessing.Channels, preprocessing.Height, preprocessing.Width]
        : [preprocessing.Height, preprocessing.Width, preprocessing.Channels];

    /// <summary>Adds the input and makes normalised planes of it, <c>[batch, channels, height, width]</c>, float32.</summary>
    public string WritePlanes(string name)
    {
        string x = Write(name);
        using GraphBuilder.Scope scope = graph.In("input");
        if (!IsPlanar) x = graph.Transpose(x, 0, 3, 1, 2);
        return IsRaw ? NormalizePlanes(graph, x, preprocessing, "input") : x;
    }

    /// <summary>Normalises planes of raw pixels; the names of mean and scale get a prefix.</summary>
    public static string NormalizePlanes(GraphBuilder graph, string planes, ImagePreprocessing preprocessing, string prefix)
    {
        string PerChannel(string constant, IReadOnlyList<float> values, Func<float, float> scaled) =>
            graph.Floats($"{prefix}.{constant}", [.. values.Select(scaled)], values.Count, 1, 1);
        string x = graph.Node("Sub", [graph.Cast(planes, DataType.Float), PerChannel("mean", preprocessing.Mean, m => m * 255f)]);
        return graph.Node("Mul", [x, PerChannel("scale", preprocessing.StandardDeviation, s => 1 / (s * 255f))]);
    }

    /// <summary>Adds the input and cuts images into normalised patches, <c>[batch, patches, patch * patch * channels]</c>, float32.</summary>
    public string WritePatches(string name, VisionTransformerConfig config)
    {
        long rows = config.GridHeight, columns = config.GridWidth, patch = config.PatchSize, channels = config.Channels;
        string x = Write(name);
        using GraphBuilder.Scope scope = graph.In("input");
        x = IsPlanar
            ? graph.Transpose(graph.Reshape(x, 0, channels, rows, patch, columns, patch), 0, 2, 4, 3, 5, 1)
            : graph.Transpose(graph.Reshape(x, 0, rows, patch, columns, patch, channels), 0, 1, 3, 2, 4, 5);
        x = graph.Reshape(x, 0, config.PatchCount, config.PatchDim);
        if (!IsRaw) return x;
        x = graph.Node("Sub", [graph.Cast(x, DataType.Float), Mean(config)]);
        return graph.Node("Mul", [x, PerPatch("input.scale", config, preprocessing.StandardDeviation, s => 1 / (s * 255f))]);
    }

    /// <summary>Puts normalised patches together as images of the input's layout and scale.</summary>
    public string WriteImages(string patches, VisionTransformerConfig config)
    {
        string x = patches;
        if (IsRaw)
        {
            x = graph.Node("Mul", [x, PerPatch("output.scale", config, preprocessing.StandardDeviation, s => s * 255f)]);
            x = graph.Node("Add", [x, Mean(config)]);
        }
        x = graph.Reshape(x, 0, config.GridHeight, config.GridWidth, config.PatchSize, config.PatchSize, config.Channels);
        x = IsPlanar ? graph.Transpose(x, 0, 5, 1, 3, 2, 4) : graph.Transpose(x, 0, 1, 3, 2, 4, 5);
        return graph.Reshape(x, [0, .. Shape]);
    }

    private string Write(string name)
    {
        string layout = IsPlanar ? "[batch, channels, height, width]" : "[batch, height, width, channels]";
        string what = IsRaw ? "Raw pixels, 0 to 255" : "Normalised pixels, (byte / 255 - mean) / deviation";
        return graph.Input(name, IsRaw ? DataType.Uint8 : DataType.Float, Shape, $"{what}: {layout}.");
    }

    private string Mean(VisionTransformerConfig config) => PerPatch("input.mean", config, preprocessing.Mean, m => m * 255f);

    /// <summary>A number for each channel, repeated over the pixels of a patch: long rows are what runtimes add and multiply fast.</summary>
    private string PerPatch(string name, VisionTransformerConfig config, IReadOnlyList<float> values, Func<float, float> scaled) =>
        graph.Floats(name, [.. Enumerable.Range(0, config.PatchDim).Select(i => scaled(values[i % config.Channels]))], config.PatchDim);
}
