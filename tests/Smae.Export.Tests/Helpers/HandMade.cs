using Google.Protobuf;
using DataType = Smae.Export.TensorProto.Types.DataType;
using Dimension = Smae.Export.TensorShapeProto.Types.Dimension;

namespace Smae.Export.Tests;

/// <summary>ONNX files that no Smae exported: networks so simple that what they give is known.</summary>
internal static class HandMade
{
    /// <summary>
    /// A convolutional network that averages: a feature map <c>map</c> of the mean of each square of <paramref name="side"/> pixels, through a convolution
    /// that swaps first and last channel, and their mean over the image as the vector <c>vector</c>.
    /// </summary>
    /// <param name="shape">Of the input, after the batch; 0 is any size.</param>
    /// <param name="last">Whether channels come last, in input and map.</param>
    /// <param name="batch">Images at a time; null is any number.</param>
    public static void ColorNet(string path, DataType pixels, long[] shape, bool last = false, int side = 4, int? batch = null, bool vector = true, bool map = true)
    {
        var graph = new GraphBuilder();
        string x = graph.Cast(graph.Input("pixel_values", pixels, shape, ""), DataType.Float);
        if (last) x = graph.Transpose(x, 0, 3, 1, 2);
        x = graph.Node("Conv", [x, graph.Floats("swap", [0, 0, 1, 0, 1, 0, 1, 0, 0], 3, 3, 1, 1)]);
        x = graph.Node("AveragePool", [x], ("kernel_shape", (long[])[side, side]), ("strides", (long[])[side, side]));
        if (map) graph.Output("map", last ? graph.Transpose(x, 0, 2, 3, 1) : x, last ? [0, 0, 3] : [3, 0, 0], "");
        if (vector) graph.Output("vector", graph.Node("Flatten", [graph.Node("GlobalAveragePool", [x])]), [3], "");
        Save(path, graph, batch);
    }

    /// <summary>A network of one node, whose output is what the node gives.</summary>
    public static void OneNode(string path, string operation, DataType type, long[] shape, int? batch = null, params (string Name, object Value)[] attributes)
    {
        var graph = new GraphBuilder();
        string x = graph.Input("input", type, shape, "");
        graph.Name("output", graph.Node(operation, [x], attributes));
        graph.Graph.Output.Add(new ValueInfoProto { Name = "output" });
        Save(path, graph, batch);
    }

    private static void Save(string path, GraphBuilder graph, int? batch)
    {
        foreach (ValueInfoProto value in graph.Graph.Input.Concat(graph.Graph.Output))
        {
            if (value.Type is null) continue;
            var dimensions = value.Type.TensorType.Shape.Dim;
            for (int i = 1; i < dimensions.Count; i++)
                if (dimensions[i].DimValue == 0) dimensions[i] = new Dimension { DimParam = $"any{i}" };
            if (batch is { } size) dimensions[0] = new Dimension { DimValue = size };
        }
        graph.Graph.Name = "hand-made";
        var model = new ModelProto
        {
            IrVersion = 8, ProducerName = "somebody", Graph = graph.Graph, OpsetImport = { new OperatorSetIdProto { Domain = "", Version = GraphBuilder.Opset } },
        };
        File.WriteAllBytes(path, model.ToByteArray());
    }
}
