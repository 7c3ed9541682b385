using Google.Protobuf;
using Google.Protobuf.Collections;
using Smae.Training;
using DataType = Smae.Export.TensorProto.Types.DataType;

namespace Smae.Export;

/// <summary>
/// Rewrites an ONNX file of Smae into what ML.NET's OnnxTransformer wants: an input of raw pixels as ExtractPixels gives them, one image at a time, and one
/// output without the dimension of the batch (OnnxTransformer would make a <c>Vector&lt;Single, 1, dim&gt;</c> of it, which no predictor accepts that knows a
/// <c>Vector&lt;Single, dim&gt;</c>), both under the names of their columns.
/// </summary>
public sealed class PipelineModel
{
    private const string Prefix = "model/";   // of all names that the file had: the columns' names are then free
    private readonly ModelProto _model;
    private readonly OnnxModelInfo _info;
    private readonly GraphBuilder _graph = new() { IsSingleImage = true };
    private readonly string _image;   // what the file takes

    private PipelineModel(string source, string pixelsName)
    {
        _info = OnnxModelInfo.Read(source);
        using (FileStream stream = File.OpenRead(source)) _model = ModelProto.Parser.ParseFrom(stream);
        Rename(_model.Graph);
        ImagePreprocessing p = _info.Preprocessing;
        const string doc = "Raw pixels, 0 to 255: [1, height, width, channels].";
        string pixels = _graph.Input(pixelsName, DataType.Uint8, [p.Height, p.Width, ExtractedChannels(p)], doc);
        using (_graph.In("pixels")) _image = Prepare(_graph, pixels, _info);
    }

    /// <summary>Channels of the pixels that ExtractPixels has to give: red, green, blue, or alpha before these.</summary>
    public static int ExtractedChannels(ImagePreprocessing preprocessing) => preprocessing.Channels == 4 ? 4 : 3;

    /// <summary>Writes the file of an encoder or a classifier.</summary>
    /// <param name="source">A file that <see cref="OnnxExport"/> wrote of it.</param>
    /// <param name="target">The file to write.</param>
    /// <param name="pixelsName">The input's name: the column of pixels, <c>[height, width, channels]</c>, uint8, interleaved.</param>
    /// <param name="output">Which output of the source is wanted.</param>
    /// <param name="outputName">The output's name: the column.</param>
    /// <param name="map">What is done to the output; null is nothing.</param>
    /// <exception cref="ArgumentException">A name is taken.</exception>
    public static void Write(string source, string target, string pixelsName, OnnxOutputInfo output, string outputName, LinearMap? map = null)
    {
        var pipeline = new PipelineModel(source, pixelsName);
        GraphBuilder graph = pipeline._graph;
        string value = pipeline.AddModel(output, mask: null);
        int length = output.Length;
        if (map is not null)
        {
            length = map.Offset.Length;
            value = graph.Node("Add", [graph.Node("MatMul", [value, Transposed(graph, map, output.Length)]), graph.Floats("map.offset", map.Offset, length)]);
        }
        graph.Output(outputName, value, [length], $"{output.Name} of the image: [{length}].");
        pipeline.Save(target);
    }

    /// <summary>Writes the file of an autoencoder that makes pictures.</summary>
    /// <param name="source">A file that <see cref="OnnxExport"/> wrote of it, of <see cref="OnnxInput.Bytes"/>.</param>
    /// <param name="target">The file to write.</param>
    /// <param name="pixelsName">The input's name: the column of pixels, <c>[height, width, channels]</c>, uint8, interleaved.</param>
    /// <param name="outputName">The output's name: the column of the numbers of a picture, red, green and blue of a pixel together.</param>
    /// <param name="pictures">The masks, and what is shown.</param>
    /// <exception cref="ArgumentException">A name is taken.</exception>
    public static void WritePictures(string source, string target, string pixelsName, string outputName, MaskedPictures pictures)
    {
        var pipeline = new PipelineModel(source, pixelsName);
        var graph = new PictureGraph(pipeline._graph, pipeline._info, pictures);
        string mask = graph.WriteMask(pipeline._image);
        string predicted = pipeline.AddModel(pipeline._info.Outputs[0], mask);
        (string picture, long[] shape) = graph.WritePicture(pipeline._image, mask, predicted);
        pipeline._graph.Output(outputName, picture, shape, "The picture of the image, 0 to 255: [height, width, red, green and blue].");
        pipeline.Save(target);
    }

    /// <summary>Adds the file's own graph.</summary>
    /// <returns>The name of an output of it.</returns>
    private string AddModel(OnnxOutputInfo output, string? mask)
    {
        _graph.Name(Prefix + _info.InputName, _image);
        if (mask is not null) _graph.Name(Prefix + _info.MaskName, mask);
        _graph.Graph.Node.Add(_model.Graph.Node);
        _graph.Graph.Initializer.Add(_model.Graph.Initializer);
        return Prefix + output.Name;
    }

    private void Save(string target)
    {
        _graph.Graph.Name = _model.Graph.Name;
        _model.Graph = _graph.Graph;
        AtomicFile.Write(target, stream => _model.WriteTo(stream));
    }

    /// <summary>From extracted pixels to what the file takes.</summary>
    private static string Prepare(GraphBuilder graph, string pixels, OnnxModelInfo info)
    {
        ImagePreprocessing p = info.Preprocessing;
        string x = pixels;
        if (p.Channels == 4) x = graph.Node("Gather", [x, graph.Integers(1, 2, 3, 0)], ("axis", -1L));   // ExtractPixels has alpha first, Smae last
        if (p.Channels == 1)
        {
            // The luma of ITU-R BT.601 in 16-bit fixed point, rounded, as images are read for training: whole numbers below 2^24, exact in float32.
            string weights = graph.Floats("pixels.luma", [19595, 38470, 7471], 3, 1);
            x = graph.Node("MatMul", [graph.Cast(x, DataType.Float), weights]);
            x = graph.Node("Floor", [graph.Node("Div", [graph.Node("Add", [x, graph.Scalar(32768)]), graph.Scalar(65536)])]);
            x = graph.Cast(x, DataType.Uint8);
        }
        if (info.Input != OnnxInput.Bytes) x = graph.Transpose(x, 0, 3, 1, 2);
        if (info.Input != OnnxInput.NormalizedPlanes) return x;
        string mean = graph.Floats("pixels.mean", [.. p.Mean.Select(m => m * 255f)], p.Channels, 1, 1);
        string scale = graph.Floats("pixels.scale", [.. p.StandardDeviation.Select(s => 1 / (s * 255f))], p.Channels, 1, 1);
        return graph.Node("Mul", [graph.Node("Sub", [graph.Cast(x, DataType.Float), mean]), scale]);
    }

    private static string Transposed(GraphBuilder graph, LinearMap map, int columns)
    {
        int rows = map.Offset.Length;
        var transposed = new float[map.Matrix.Length];
        for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++) transposed[column * rows + row] = map.Matrix[row * columns + column];
        return graph.Floats("map.matrix", transposed, columns, rows);
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
