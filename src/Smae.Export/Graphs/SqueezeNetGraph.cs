using Smae.Training;

namespace Smae.Export;

/// <summary>Writes a SqueezeNet v1.1: normalised planes to logits.</summary>
/// <param name="graph">Where to.</param>
/// <param name="weights">The weights, under torchvision's names.</param>
/// <param name="products">Says in which type convolutions run.</param>
internal sealed class SqueezeNetGraph(GraphBuilder graph, WeightTable weights, Products products)
{
    /// <summary>Writes all layers.</summary>
    /// <param name="planes"><c>[batch, channels, height, width]</c>, float32.</param>
    /// <returns><c>[batch, classes]</c>, float32.</returns>
    public string Write(string planes)
    {
        string x = Convolution(products.ToCompute(planes), "features.0", stride: 2);
        for (int layer = 2; layer < SqueezeNet.FullDepth; layer++)
            x = SqueezeNet.IsPooling(layer) ? MaxPool(x, $"features.{layer}") : Fire(x, $"features.{layer}");
        x = Convolution(x, "classifier.1");
        using GraphBuilder.Scope scope = graph.In("classifier");
        return graph.Node("ReduceMean", [products.ToFloat(x)], ("axes", new[] { 2L, 3L }), ("keepdims", 0L));
    }

    private string Fire(string x, string name)
    {
        string squeezed = Convolution(x, $"{name}.squeeze");
        string[] sides = [Convolution(squeezed, $"{name}.expand1x1"), Convolution(squeezed, $"{name}.expand3x3", padding: 1)];
        using GraphBuilder.Scope scope = graph.In(name);
        return graph.Node("Concat", sides, ("axis", 1L));
    }

    private string MaxPool(string x, string name)
    {
        using GraphBuilder.Scope scope = graph.In(name);
        return graph.Node("MaxPool", [x], ("kernel_shape", new[] { 3L, 3L }), ("strides", new[] { 2L, 2L }), ("ceil_mode", 1L));
    }

    /// <summary>A convolution and the ReLU that follows each.</summary>
    private string Convolution(string x, string name, long stride = 1, long padding = 0)
    {
        using GraphBuilder.Scope scope = graph.In(name);
        string weight = $"{name}.weight";
        x = graph.Node(
            "Conv", [x, products.Stored(weight), products.Stored($"{name}.bias")], ("kernel_shape", weights.Shape(weight)[2..]),
            ("strides", new[] { stride, stride }), ("pads", new[] { padding, padding, padding, padding }));
        return graph.Node("Relu", [x]);
    }
}
