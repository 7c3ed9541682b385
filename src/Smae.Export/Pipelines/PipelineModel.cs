using Google.Protobuf;
using Google.Protobuf.Collections;
using Smae.Training;
using DataType = Smae.Export.TensorProto.Types.DataType;

namespace Smae.Export;

/// <summary>
/// Rewrites ONNX files of Smae into what ML.NET's OnnxTransformer wants: an input of raw pixels as ExtractPixels gives them, one image at a time, and
/// one output without the dimension of the batch (predictors accept no <c>Vector&lt;Single, 1, dim&gt;</c>), named after their columns.
/// </summary>
public static class PipelineModel
{
    /// <summary>Channels of the pixels that ExtractPixels has to give: 3 (red, green, blue), or 4 with alpha before these.</summary>
    public static int ExtractedChannels(ImagePreprocessing preprocessing)
    {
        ArgumentNullException.ThrowIfNull(preprocessing);
        return preprocessing.Channels == 4 ? 4 : 3;
    }

    /// <summary>Writes the file of an encoder or a classifier.</summary>
    /// <param name="source">A file that <see cref="OnnxExport"/> wrote of it.</param>
    /// <param name="pixelsName">The input's name: the column of pixels, <c>[height, width, channels]</c>, uint8, interleaved.</param>
    /// <param name="map">What is done to the output. Default null: nothing.</param>
    /// <exception cref="ArgumentException">Input and output bear one name.</exception>
    /// <exception cref="InvalidDataException"><paramref name="source"/> is not an ONNX file of Smae.</exception>
    public static void Write(string source, string target, string pixelsName, OnnxOutputInfo output, string outputName, LinearMap? map = null)
    {
        ArgumentNullException.ThrowIfNull(output);
        var pipeline = new PipelineGraph(source, pixelsName);
        string value = pipeline.AddModel(output, mask: null);
        if (map is not null) value = pipeline.Apply(map, value);
        int length = map?.Offset.Length ?? output.Length;
        pipeline.Save(target, outputName, value, [length], $"{output.Name} of the image: [{length}].");
    }

    /// <summary>Writes the file of an autoencoder that makes pictures: <c>[height, width of all parts, 3]</c>, whole numbers from 0 to 255.</summary>
    /// <param name="source">A file that <see cref="OnnxExport"/> wrote of it, of <see cref="OnnxInput.Bytes"/>.</param>
    /// <inheritdoc cref="Write"/>
    public static void WritePictures(string source, string target, string pixelsName, string outputName, MaskedPictures pictures)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        var pipeline = new PipelineGraph(source, pixelsName);
        string mask = pipeline.ChooseMask(pictures.Masks);
        string predicted = pipeline.AddModel(pipeline.Info.Outputs[0], mask);
        (string picture, long[] shape) = pipeline.MakePicture(mask, predicted, pictures.Parts);
        pipeline.Save(target, outputName, picture, shape, "The picture of the image, 0 to 255: [height, width, red, green and blue].");
    }
}

/// <summary>A linear map of a model's output, <c>y = matrix x + offset</c>.</summary>
/// <param name="Matrix">Row by row, <c>[rows, columns]</c>: as many rows as numbers come out.</param>
/// <param name="Offset">A number for each row.</param>
public sealed record LinearMap(float[] Matrix, float[] Offset);

/// <summary>The pictures that are made with a masked autoencoder.</summary>
/// <param name="Masks">
/// Masks one after the other, patches row by row: 1 where a patch is hidden. An image takes that whose number is its bytes' sum modulo their number.
/// </param>
/// <param name="Parts">What stands side by side, from left to right.</param>
public sealed record MaskedPictures(byte[] Masks, IReadOnlyList<PicturePart> Parts);

/// <summary>What stands in a picture of a reconstruction.</summary>
public enum PicturePart
{
    /// <summary>The image.</summary>
    Original,

    /// <summary>The image with hidden patches in the mean colour.</summary>
    Seen,

    /// <summary>The image with hidden patches as predicted.</summary>
    Completed,
}

internal sealed class PipelineGraph
{
    private const string Prefix = "model/";   // of all names that the file had: the columns' names are then free
    private readonly ModelProto _model;
    private readonly GraphBuilder _graph = new() { IsSingleImage = true };
    private readonly string _image;   // what the file takes

    public PipelineGraph(string source, string pixelsName)
    {
        Info = OnnxModelInfo.Read(source);
        using (FileStream stream = File.OpenRead(source)) _model = ModelProto.Parser.ParseFrom(stream);
        Rename(_model.Graph);
        ImagePreprocessing p = Info.Preprocessing;
        const string doc = "Raw pixels, 0 to 255: [1, height, width, channels].";
        string pixels = _graph.Input(pixelsName, DataType.Uint8, [p.Height, p.Width, PipelineModel.ExtractedChannels(p)], doc);
        using (_graph.In("pixels")) _image = Prepare(pixels);
    }

    public OnnxModelInfo Info { get; }

    /// <summary>Adds the file's own graph and gives the name of an output of it.</summary>
    public string AddModel(OnnxOutputInfo output, string? mask)
    {
        _graph.Name(Prefix + Info.InputName, _image);
        if (mask is not null) _graph.Name(Prefix + Info.MaskName, mask);
        _graph.Graph.Node.Add(_model.Graph.Node);
        _graph.Graph.Initializer.Add(_model.Graph.Initializer);
        return Prefix + output.Name;
    }

    public string Apply(LinearMap map, string value)
    {
        int rows = map.Offset.Length, columns = map.Matrix.Length / rows;
        float[] transposed = [.. Enumerable.Range(0, map.Matrix.Length).Select(i => map.Matrix[i % rows * columns + i / rows])];
        string product = _graph.Node("MatMul", [value, _graph.Floats("map.matrix", transposed, columns, rows)]);
        return _graph.Node("Add", [product, _graph.Floats("map.offset", map.Offset, rows)]);
    }

    /// <summary>The mask of an image, <c>[1, patches]</c>, uint8.</summary>
    public string ChooseMask(byte[] all)
    {
        using GraphBuilder.Scope scope = _graph.In("mask");
        long masks = all.Length / Info.PatchCount;
        string table = _graph.Initializer("masks", DataType.Uint8, () => all, masks, Info.PatchCount);
        string sum = _graph.Node("ReduceSum", [_graph.Cast(_image, DataType.Int64), _graph.Integers(1, 2, 3)], ("keepdims", 0L));
        return _graph.Node("Gather", [table, _graph.Node("Mod", [sum, _graph.Integer(masks)])], ("axis", 0L));
    }

    /// <summary>Puts the picture together of a prediction of every patch, <c>[1, height, width, channels]</c>, float32.</summary>
    /// <returns>Whole numbers from 0 to 255, <c>[1, height, width of all parts, 3]</c>, float32; and the dimensions after the first.</returns>
    public (string Picture, long[] Shape) MakePicture(string mask, string predicted, IReadOnlyList<PicturePart> shown)
    {
        using GraphBuilder.Scope scope = _graph.In("picture");
        ImagePreprocessing p = Info.Preprocessing;
        long patch = Info.PatchSize!.Value, rows = p.Height / patch, columns = p.Width / patch;
        string Cut(string pixels) => _graph.Reshape(pixels, 0, rows, patch, columns, patch, p.Channels);
        string hidden = _graph.Cast(_graph.Reshape(mask, 0, rows, 1, columns, 1, 1), DataType.Bool);
        string original = _graph.Cast(_image, DataType.Float), visible = Cut(original);
        string mean = _graph.Floats("picture.mean", [.. p.Mean.Select(m => m * 255f)], p.Channels);
        string WithHidden(string pixels) => _graph.Reshape(_graph.Node("Where", [hidden, pixels, visible]), 0, p.Height, p.Width, p.Channels);

        string[] parts = [.. shown.Select(part => part switch
        {
            PicturePart.Original => original,
            PicturePart.Seen => WithHidden(mean),
            _ => WithHidden(Cut(predicted)),
        })];
        string x = parts.Length == 1 ? parts[0] : _graph.Node("Concat", parts, ("axis", 2L));
        x = _graph.Node("Clip", [_graph.Node("Round", [x]), _graph.Scalar(0), _graph.Scalar(255)]);
        // Grey is as much red, green and blue; alpha is not shown.
        if (p.Channels != 3) x = _graph.Node("Gather", [x, p.Channels == 1 ? _graph.Integers(0, 0, 0) : _graph.Integers(0, 1, 2)], ("axis", -1L));
        return (x, [p.Height, p.Width * parts.Length, 3]);
    }

    public void Save(string target, string outputName, string value, long[] shape, string doc)
    {
        _graph.Output(outputName, value, shape, doc);
        _graph.Graph.Name = _model.Graph.Name;
        _model.Graph = _graph.Graph;
        AtomicFile.Write(target, stream => _model.WriteTo(stream));
    }

    /// <summary>From extracted pixels to what the file takes.</summary>
    private string Prepare(string pixels)
    {
        ImagePreprocessing p = Info.Preprocessing;
        string x = pixels;
        if (p.Channels == 4) x = _graph.Node("Gather", [x, _graph.Integers(1, 2, 3, 0)], ("axis", -1L));   // ExtractPixels has alpha first, Smae last
        if (p.Channels == 1)
        {
            // The luma of ITU-R BT.601 in 16-bit fixed point, rounded, as images are read for training: whole numbers below 2^24, exact in float32.
            string luma = _graph.Floats("pixels.luma", [19595, 38470, 7471], 3, 1);
            x = _graph.Node("MatMul", [_graph.Cast(x, DataType.Float), luma]);
            x = _graph.Node("Floor", [_graph.Node("Div", [_graph.Node("Add", [x, _graph.Scalar(32768)]), _graph.Scalar(65536)])]);
            x = _graph.Cast(x, DataType.Uint8);
        }
        if (Info.Input != OnnxInput.Bytes) x = _graph.Transpose(x, 0, 3, 1, 2);
        return Info.Input == OnnxInput.NormalizedPlanes ? ImageInput.NormalizePlanes(_graph, x, p, "pixels") : x;
    }

    private static void Rename(GraphProto graph)
    {
        foreach (TensorProto tensor in graph.Initializer) tensor.Name = Prefix + tensor.Name;
        foreach (NodeProto node in graph.Node)
        {
            node.Name = Prefix + node.Name;
            foreach (RepeatedField<string> names in (RepeatedField<string>[])[node.Input, node.Output])
                for (int i = 0; i < names.Count; i++)
                    if (names[i].Length > 0) names[i] = Prefix + names[i];   // an empty name is an input left out
        }
    }
}
