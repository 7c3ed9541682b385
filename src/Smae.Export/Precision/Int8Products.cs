using DataType = Smae.Export.TensorProto.Types.DataType;

namespace Smae.Export;

/// <summary>
/// Products of blocks in 8-bit integers with dynamic quantisation: the activations' range is found when they are there, weights are quantised
/// beforehand.
/// </summary>
/// <param name="graph">Where to.</param>
/// <param name="weights">The weights.</param>
/// <param name="fused">Whether ONNX Runtime's own operator does it in one.</param>
internal sealed class Int8Products(GraphBuilder graph, WeightTable weights, bool fused) : Products(graph, weights, DataType.Float)
{
    public override string Multiply(string value, string layer)
    {
        string name = $"{layer}.weight";
        (int inputs, int outputs, float[] numbers) = Weights.Matrix(name);
        (sbyte[] quantized, float[] scales) = Int8Quantizer.Quantize(numbers, inputs, outputs);
        string weight = Graph.Initializer(name, DataType.Int8, () => quantized, inputs, outputs);
        string scale = Graph.Floats($"{name}.scale", scales, outputs);
        if (fused) return Graph.RuntimeNode("DynamicQuantizeMatMul", [value, weight, scale]);

        string[] activation = Graph.Nodes("DynamicQuantizeLinear", [value], 3);   // numbers, scale, zero point
        string sums = Graph.Node("MatMulInteger", [activation[0], weight, activation[2]]);
        return Graph.Node("Mul", [Graph.Cast(sums, DataType.Float), Graph.Node("Mul", [activation[1], scale])]);
    }
}
