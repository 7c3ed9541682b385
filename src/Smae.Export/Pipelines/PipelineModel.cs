using Google.Protobuf;
using Google.Protobuf.Collections;
using Smae.Training;
using DataType = Smae.Export.TensorProto.Types.DataType;

namespace Smae.Export;

/// <summary>
/// Rewrites ONNX files of Smae into what ML.NET's OnnxTransformer wants, so that a saved chain of ML.NET's own transformers can hold the model: an input of
/// raw pixels as ExtractPixels gives them with alpha first, one image at a time, and one output without the dimension of the batch (OnnxTransformer would make a
/// <c>Vector&lt;Single, 1, dim&gt;</c> of it, which no predictor accepts that knows a <c>Vector&lt;Single, dim&gt;</c>), both under the names of their
/// columns. The ground of transparent images is laid in the file; the output of an image that is missing, which comes as zeros, is NaN.
/// </summary>
public static class PipelineModel
{
    /// <summary>Writes the file of an encoder or a classifier.</summary>
    /// <param name="source">A file that <see cref="OnnxExport"/> wrote of it.</param>
    /// <param name="target">The file to write.</param>
    /// <param name="pixelsName">The input's name: the column of pixels, <c>[height, width, 4]</c>, uint8: alpha, red, green and blue of a pixel together.</param>
    /// <param name="output">Which output of the source is wanted.</param>
    /// <param name="outputName">The output's name: the column.</param>
    /// <param name="map">What is done to the output; null is nothing.</param>
    /// <exception cref="ArgumentException">Input and output bear one name.</exception>
    /// <exception cref="InvalidDataException"><paramref name="source"/> is not an ONNX file of Smae.</exception>
    public static void Write(string source, string target, string pixelsName, OnnxOutputInfo output, string outputName, LinearMap? map = null)
    {
        ArgumentNullException.ThrowIfNull(output);
        var pipeline = new PipelineGraph(source, pixelsName);
        string value = pipeline.AddModel(output, mask: null);
        if (map is not null) value = pipeline.Apply(map, value);
        value = pipeline.UnlessMissing(value, double.NaN);
        int length = map?.Offset.Length ?? output.Length;
        pipeline.Save(target, outputName, value, [length], $"{output.Name} of the image: [{length}].");
    }

    /// <summary>Writes the file of an autoencoder that makes pictures.</summary>
    /// <param name="source">A file that <see cref="OnnxExport"/> wrote of it, of <see cref="OnnxInput.Bytes"/>.</param>
    /// <param name="target">The file to write.</param>
    /// <param name="pixelsName">The input's name: the column of pixels, <c>[height, width, 4]</c>, uint8: alpha, red, green and blue of a pixel together.</param>
    /// <param name="outputName">
    /// The output's name: the column of the numbers of a picture, <c>[height, width of all parts, 3]</c>, whole numbers from 0 to 255, red, green and blue
    /// of a pixel together; black for an image that is missing.
    /// </param>
    /// <param name="pictures">The masks, and what is shown.</param>
    /// <exception cref="ArgumentException">Input and output bear one name.</exception>
    /// <exception cref="InvalidDataException"><paramref name="source"/> is not an ONNX file of Smae.</exception>
    public static void WritePictures(string source, string target, string pixelsName, string outputName, MaskedPictures pictures)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        var pipeline = new PipelineGraph(source, pixelsName);
        string mask = pipeline.ChooseMask(pictures.Masks);
        string predicted = pipeline.AddModel(pipeline.Info.Outputs[0], mask);
        (string picture, long[] shape) = pipeline.MakePicture(mask, predicted, pictures.Parts);
        picture = pipeline.UnlessMissing(picture, 0);
        pipeline.Save(target, outputName, picture, shape, "The picture of the image, 0 to 255: [height, width, red, green and blue].");
    }
}

/// <summary>A linear map of a model's output, <c>y = matrix x + offset</c>.</summary>
/// <param name="Matrix">Row by row, <c>[rows, columns]</c>: as many rows as numbers come out.</param>
/// <param name="Offset">A number for each row.</param>
public sealed record LinearMap(float[] Matrix, float[] Offset);

/// <summary>The pictures that are made with a masked autoencoder.</summary>
/// <param name="Masks">
/// Masks one after the other, patches row by row: 1 where a patch is hidden, 0 where it is visible. An image takes the one whose number is the sum of its
/// bytes modulo the number of masks.
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

/// <summary>The graph of a file of Smae, between pixels of a column and numbers of a column.</summary>
internal sealed class PipelineGraph
{
    private const string Prefix = "model/";   // of all names that the file had: the columns' names are then free
    private readonly ModelProto _model;
    private readonly GraphBuilder _graph = new() { IsSingleImage = true };
    private readonly string _alpha, _image;   // [1, height, width, 1], float32; what the file takes

    public PipelineGraph(string source, string pixelsName)
    {
        Info = OnnxModelInfo.Read(source);
        using (FileStream stream = File.OpenRead(source)) _model = ModelProto.Parser.ParseFrom(stream);
        Rename(_model.Graph);
        ImagePreprocessing p = Info.Preprocessing;
        string pixels = _graph.Input(pixelsName, DataType.Uint8, [p.Height, p.Width, 4], "Raw pixels, 0 to 255: [1, height, width, alpha, red, green and blue].");
        using (_graph.In("pixels"))
        {
            _alpha = _graph.Cast(_graph.Slice(pixels, 0, 1, 3), DataType.Float);
            _image = Prepare(pixels);
        }
    }

    public OnnxModelInfo Info { get; }

    /// <summary>Adds the file's own graph.</summary>
    /// <returns>The name of an output of it.</returns>
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
        var transposed = new float[map.Matrix.Length];
        for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++) transposed[column * rows + row] = map.Matrix[row * columns + column];
        string product = _graph.Node("MatMul", [value, _graph.Floats("map.matrix", transposed, columns, rows)]);
        return _graph.Node("Add", [product, _graph.Floats("map.offset", map.Offset, rows)]);
    }

    /// <summary>The numbers of an image, or another in their place where there is none: not even one pixel has an alpha.</summary>
    public string UnlessMissing(string value, double otherwise)
    {
        using GraphBuilder.Scope scope = _graph.In("missing");
        string there = _graph.Node("Greater", [_graph.Node("ReduceMax", [_alpha], ("keepdims", 0L)), _graph.Scalar(0)]);
        return _graph.Node("Where", [there, value, _graph.Scalar(otherwise)]);
    }

    /// <summary>Chooses the mask of an image.</summary>
    /// <returns><c>[1, patches]</c>, uint8.</returns>
    public string ChooseMask(byte[] all)
    {
        using GraphBuilder.Scope scope = _graph.In("mask");
        long masks = all.Length / Info.PatchCount;
        string table = _graph.Initializer("masks", DataType.Uint8, () => all, masks, Info.PatchCount);
        string sum = _graph.Node("ReduceSum", [_graph.Cast(_image, DataType.Int64), _graph.Integers(1, 2, 3)], ("keepdims", 0L));
        return _graph.Node("Gather", [table, _graph.Node("Mod", [sum, _graph.Integer(masks)])], ("axis", 0L));
    }

    /// <summary>Puts the picture together.</summary>
    /// <param name="mask">What <see cref="ChooseMask"/> gave.</param>
    /// <param name="predicted">The prediction of every patch, <c>[1, height, width, channels]</c>, float32.</param>
    /// <returns>Whole numbers from 0 to 255, <c>[1, height, width of all parts, 3]</c>, float32; and the dimensions after the first.</returns>
    public (string Picture, long[] Shape) MakePicture(string mask, string predicted, IReadOnlyList<PicturePart> shown)
    {
        using GraphBuilder.Scope scope = _graph.In("picture");
        ImagePreprocessing p = Info.Preprocessing;
        long patch = Info.PatchSize!.Value, rows = p.Height / patch, columns = p.Width / patch;
        string Cut(string pixels) => _graph.Reshape(pixels, 0, rows, patch, columns, patch, p.Channels);
        string hidden = _graph.Cast(_graph.Reshape(mask, 0, rows, 1, columns, 1, 1), DataType.Bool);
        string original = _graph.Cast(_image, DataType.Float), visible = Cut(original);
        string WithHidden(string pixels) => _graph.Reshape(_graph.Node("Where", [hidden, pixels, visible]), 0, p.Height, p.Width, p.Channels);

        string[] parts = [.. shown.Select(part => part switch
        {
            PicturePart.Original => original,
            PicturePart.Seen => WithHidden(_graph.Floats("picture.mean", [.. p.Mean.Select(m => m * 255f)], p.Channels)),
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
        string x = _graph.Node("Gather", [pixels, p.Channels == 4 ? _graph.Integers(1, 2, 3, 0) : _graph.Integers(1, 2, 3)], ("axis", -1L));
        if (p.Channels < 4) x = LayOnGround(_graph.Cast(x, DataType.Float));
        if (p.Channels == 1)
        {
            // The luma of ITU-R BT.601 in 16-bit fixed point, rounded, as images are read for training: whole numbers below 2^24, exact in float32.
            x = _graph.Node("MatMul", [x, _graph.Floats("pixels.luma", [19595, 38470, 7471], 3, 1)]);
            x = _graph.Node("Floor", [_graph.Node("Div", [_graph.Node("Add", [x, _graph.Scalar(32768)]), _graph.Scalar(65536)])]);
        }
        x = _graph.Cast(x, DataType.Uint8);
        if (Info.Input != OnnxInput.Bytes) x = _graph.Transpose(x, 0, 3, 1, 2);
        return Info.Input == OnnxInput.NormalizedPlanes ? ImageInput.NormalizePlanes(_graph, x, p, "pixels") : x;
    }

    /// <summary>
    /// Lays colours, which come multiplied by alpha, on the ground, to the same whole numbers as images are read for training. What ResizeImages did not draw on has
    /// an alpha of 0 as well, and is to stay black: rows and columns at the edges with padding, at most the last ones by rounding with cropping.
    /// </summary>
    private string LayOnGround(string colors)
    {
        ImagePreprocessing p = Info.Preprocessing;
        string ground = _graph.Floats("pixels.ground", [.. p.Background.Select(v => MathF.Round(255 * v))], 3);
        string through = _graph.Node("Mul", [_graph.Node("Sub", [_graph.Scalar(255), _alpha]), ground]);
        through = _graph.Node("Floor", [_graph.Node("Div", [_graph.Node("Add", [through, _graph.Scalar(127)]), _graph.Scalar(255)])]);
        string laid = _graph.Node("Min", [_graph.Node("Add", [colors, through]), _graph.Scalar(255)]);
        string Any(params long[] axes) => _graph.Node("Greater", [_graph.Node("ReduceMax", [_alpha], ("axes", axes), ("keepdims", 1L)), _graph.Scalar(0)]);
        string drawn = p.Resize == ResizeMode.Pad
            ? _graph.Node("And", [Any(1), Any(2)])
            : _graph.Node("Less", [_graph.Node("ReduceMin", [_graph.Slice(_graph.Slice(_alpha, 0, -1, 1), 0, -1, 2)], ("keepdims", 1L)), _graph.Scalar(255)]);
        return _graph.Node("Where", [drawn, laid, colors]);
    }

    private static void Rename(GraphProto graph)
    {
        foreach (NodeProto node in graph.Node)
        {
            node.Name = Prefix + node.Name;
            Rename(node.Input);
            Rename(node.Output);
        }
        foreach (TensorProto tensor in graph.Initializer) tensor.Name = Prefix + tensor.Name;
    }

    private static void Rename(RepeatedField<string> names)
    {
        for (int i = 0; i < names.Count; i++)
            if (names[i].Length > 0) names[i] = Prefix + names[i];   // an empty name is an input left out
    }
}
