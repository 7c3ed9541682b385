using DataType = Smae.Export.TensorProto.Types.DataType;

namespace Smae.Export;

/// <summary>Writes what comes before and after an autoencoder that takes and gives raw pixels: the choice of an image's mask, and the picture.</summary>
/// <param name="graph">Where to.</param>
/// <param name="info">The autoencoder.</param>
/// <param name="pictures">The masks, and what is shown.</param>
internal sealed class PictureGraph(GraphBuilder graph, OnnxModelInfo info, MaskedPictures pictures)
{
    private readonly long _height = info.Preprocessing.Height, _width = info.Preprocessing.Width, _channels = info.Preprocessing.Channels;

    /// <summary>Chooses the mask of an image.</summary>
    /// <param name="image"><c>[1, height, width, channels]</c>, uint8.</param>
    /// <returns><c>[1, patches]</c>, uint8.</returns>
    public string WriteMask(string image)
    {
        using GraphBuilder.Scope scope = graph.In("mask");
        long masks = pictures.Masks.Length / info.PatchCount;
        string table = graph.Initializer("masks", DataType.Uint8, () => pictures.Masks, masks, info.PatchCount);
        string sum = graph.Node("ReduceSum", [graph.Cast(image, DataType.Int64), graph.Integers(1, 2, 3)], ("keepdims", 0L));
        return graph.Node("Gather", [table, graph.Node("Mod", [sum, graph.Integer(masks)])], ("axis", 0L));
    }

    /// <summary>Puts the picture together.</summary>
    /// <param name="image"><c>[1, height, width, channels]</c>, uint8.</param>
    /// <param name="mask">What <see cref="WriteMask"/> gave.</param>
    /// <param name="predicted">The prediction of every patch, <c>[1, height, width, channels]</c>, float32.</param>
    /// <returns>Whole numbers from 0 to 255, <c>[1, height, width of all parts, red, green and blue]</c>, float32; and the dimensions of the picture.</returns>
    public (string Picture, long[] Shape) WritePicture(string image, string mask, string predicted)
    {
        using GraphBuilder.Scope scope = graph.In("picture");
        long patch = info.PatchSize!.Value, rows = _height / patch, columns = _width / patch;
        string Cut(string pixels) => graph.Reshape(pixels, 0, rows, patch, columns, patch, _channels);
        string hidden = graph.Cast(graph.Reshape(mask, 0, rows, 1, columns, 1, 1), DataType.Bool);
        string original = graph.Cast(image, DataType.Float), visible = Cut(original);
        string mean = graph.Floats("picture.mean", [.. info.Preprocessing.Mean.Select(m => m * 255f)], _channels);
        string WithHidden(string pixels) => graph.Reshape(graph.Node("Where", [hidden, pixels, visible]), 0, _height, _width, _channels);

        string[] parts = [.. pictures.Parts.Select(part => part switch
        {
            PicturePart.Original => original,
            PicturePart.Seen => WithHidden(mean),
            _ => WithHidden(Cut(predicted)),
        })];
        string x = parts.Length == 1 ? parts[0] : graph.Node("Concat", parts, ("axis", 2L));
        x = graph.Node("Clip", [graph.Node("Round", [x]), graph.Scalar(0), graph.Scalar(255)]);
        // Grey is as much red, green and blue; alpha is not shown.
        if (_channels != 3) x = graph.Node("Gather", [x, _channels == 1 ? graph.Integers(0, 0, 0) : graph.Integers(0, 1, 2)], ("axis", -1L));
        return (x, [_height, _width * parts.Length, 3]);
    }
}
