using DataType = Smae.Export.TensorProto.Types.DataType;

namespace Smae.Export;

/// <summary>Writes products with weights. A weight is stored under its own name, transposed: <c>[inputs, outputs]</c>.</summary>
/// <param name="graph">Where to.</param>
/// <param name="weights">The weights.</param>
/// <param name="compute">The type that products run in: float32 or float16.</param>
internal class Products(GraphBuilder graph, WeightTable weights, DataType compute)
{
    /// <summary>The type that products run in.</summary>
    public DataType Compute => compute;

    protected GraphBuilder Graph => graph;

    protected WeightTable Weights => weights;

    /// <summary>The products of a precision and flavor.</summary>
    public static Products Create(GraphBuilder graph, WeightTable weights, OnnxPrecision precision, OnnxFlavor flavor) => precision switch
    {
        OnnxPrecision.Float16 => new Products(graph, weights, DataType.Float16),
        OnnxPrecision.Int8 => new Int8Products(graph, weights, fused: flavor == OnnxFlavor.Fastest),
        _ => new Products(graph, weights, DataType.Float),
    };

    /// <summary>A float32 value in the type of products.</summary>
    public string ToCompute(string value) => compute == DataType.Float ? value : graph.Cast(value, compute);

    /// <summary>A value of the type of products in float32.</summary>
    public string ToFloat(string value) => compute == DataType.Float ? value : graph.Cast(value, DataType.Float);

    /// <summary>A weight as it is, in the type of products: the bias of a layer, the kernels of a convolution.</summary>
    public string Stored(string name)
    {
        (float[] numbers, long[] shape) = (weights[name], weights.Shape(name));
        return compute == DataType.Float
            ? graph.Floats(name, numbers, shape)
            : graph.Initializer(name, compute, () => Halves(name, numbers), shape);
    }

    /// <summary>The product with the weight of a layer of a transformer block.</summary>
    /// <param name="value"><c>[..., inputs]</c> in the type of products.</param>
    /// <param name="layer">The layer's name, for example <c>blocks.0.attn.qkv</c>.</param>
    /// <returns><c>[..., outputs]</c> in the type of products, without bias.</returns>
    public virtual string Multiply(string value, string layer) => MultiplyFully(value, layer);

    /// <summary>The product with the weight of a first or last layer, which is never quantised.</summary>
    public string MultiplyFully(string value, string layer)
    {
        string name = $"{layer}.weight";
        (int inputs, int outputs, float[] numbers) = weights.Matrix(name);
        string weight = compute == DataType.Float
            ? graph.Floats(name, numbers, inputs, outputs)
            : graph.Initializer(name, compute, () => Halves(name, numbers), inputs, outputs);
        return graph.Node("MatMul", [value, weight]);
    }

    /// <summary>The same with the bias added.</summary>
    public string LinearFully(string value, string layer) => graph.Node("Add", [MultiplyFully(value, layer), Stored($"{layer}.bias")]);

    private static Half[] Halves(string name, float[] numbers)
    {
        Half[] halves = Array.ConvertAll(numbers, n => (Half)n);
        int wrong = Array.FindIndex(halves, Half.IsInfinity);
        return wrong < 0 ? halves : throw new InvalidOperationException(
            $"The weight '{name}' holds {numbers[wrong]}, more than float16 can ({(float)Half.MaxValue}): export in another precision.");
    }
}
