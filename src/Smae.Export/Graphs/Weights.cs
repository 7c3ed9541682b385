using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using TorchSharp;
using static TorchSharp.torch;
using DataType = Smae.Export.TensorProto.Types.DataType;

namespace Smae.Export;

/// <summary>
/// A model's weights as they are now, copied out of TorchSharp: float32, under their names. Layer scale (<c>ls1.gamma</c>, <c>ls2.gamma</c>) is multiplied into
/// the layer before it, so graphs know nothing of it.
/// </summary>
internal sealed partial class WeightTable
{
    private readonly Dictionary<string, (long[] Shape, float[] Numbers)> _tensors = [];

    public WeightTable(IReadOnlyCollection<(string Name, Tensor Tensor)> tensors)
    {
        if (tensors.Count == 0 || tensors.Any(t => t.Tensor.IsInvalid)) throw new ObjectDisposedException(null, "The model is disposed.");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((string name, Tensor tensor) in tensors)
        {
            try { Add(name, tensor, hash); }
            catch (InvalidOperationException) when (tensor.IsInvalid) { throw new ObjectDisposedException(null, "The model was disposed while it was exported."); }
        }
        Hash = Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The SHA-256 of names, types, shapes and numbers.</summary>
    public string Hash { get; }

    public long ByteCount => _tensors.Values.Sum(t => 4L * t.Numbers.Length);

    /// <summary>A tensor as graphs hold it.</summary>
    public float[] this[string name]
    {
        get
        {
            float[] numbers = _tensors[name].Numbers;
            if (ScaledLayer.Match(name) is not { Success: true } m) return numbers;
            string scale = $"{m.Groups["block"].Value}.{(m.Groups["layer"].Value == "attn.proj" ? "ls1" : "ls2")}.gamma";
            if (!_tensors.TryGetValue(scale, out (long[] Shape, float[] Numbers) gamma)) return numbers;
            int inputs = numbers.Length / gamma.Numbers.Length;   // 1 for a bias
            return [.. numbers.Select((n, i) => n * gamma.Numbers[i / inputs])];
        }
    }

    /// <summary>A tensor as the model holds it.</summary>
    public float[] Stored(string name) => _tensors[name].Numbers;

    private void Add(string name, Tensor tensor, IncrementalHash hash)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor stored = tensor.detach().cpu().contiguous();
        hash.AppendData(Encoding.UTF8.GetBytes($"|{name}:{tensor.dtype}[{string.Join(',', tensor.shape)}]"));
        hash.AppendData(stored.bytes);
        float[] numbers = stored.to_type(ScalarType.Float32).data<float>().ToArray();
        int wrong = Array.FindIndex(numbers, n => !float.IsFinite(n));
        if (wrong >= 0)
            throw new InvalidOperationException(FormattableString.Invariant($"The weight '{name}' holds {numbers[wrong]}: only a finite model is exported."));
        _tensors.Add(name, (tensor.shape, numbers));
    }

    [GeneratedRegex(@"^(?<block>\w*blocks\.\d+)\.(?<layer>attn\.proj|mlp\.fc2)\.(weight|bias)$")]
    private static partial Regex ScaledLayer { get; }

    public long[] Shape(string name) => _tensors[name].Shape;

    /// <summary>
    /// A layer's weight as the right side of a product: <c>[inputs, outputs]</c> of what is stored as <c>[outputs, inputs]</c> or, for patches, as a
    /// convolution <c>[outputs, channels, row, column]</c>, whose inputs become (row, column, channel).
    /// </summary>
    public (int Inputs, int Outputs, float[] Numbers) Matrix(string name)
    {
        (long[] shape, float[] stored) = (Shape(name), this[name]);
        int outputs = (int)shape[0], inputs = stored.Length / outputs;
        int channels = shape.Length == 4 ? (int)shape[1] : inputs, places = inputs / channels;
        var turned = new float[stored.Length];
        for (int o = 0; o < outputs; o++)
        for (int c = 0; c < channels; c++)
        for (int p = 0; p < places; p++)
            turned[(p * channels + c) * outputs + o] = stored[o * inputs + c * places + p];
        return (inputs, outputs, turned);
    }
}

/// <summary>Writes products with weights. A weight is stored under its own name, transposed: <c>[inputs, outputs]</c>.</summary>
internal class Products(GraphBuilder graph, WeightTable weights, DataType compute)
{
    protected GraphBuilder Graph => graph;
    protected WeightTable Weights => weights;

    /// <summary>The type that products run in: float32 or float16.</summary>
    public DataType Compute => compute;

    public static Products Create(GraphBuilder graph, WeightTable weights, OnnxPrecision precision, OnnxFlavor flavor) => precision switch
    {
        OnnxPrecision.Float16 => new Products(graph, weights, DataType.Float16),
        OnnxPrecision.Int8 => new Int8Products(graph, weights, fused: flavor == OnnxFlavor.Fastest),
        _ => new Products(graph, weights, DataType.Float),
    };

    public string ToCompute(string value) => compute == DataType.Float ? value : graph.Cast(value, compute);
    public string ToFloat(string value) => compute == DataType.Float ? value : graph.Cast(value, DataType.Float);

    /// <summary>A weight as it is, in the type of products: the bias of a layer, the kernels of a convolution.</summary>
    public string Stored(string name) => Store(name, weights[name], weights.Shape(name));

    /// <summary>A block's linear layer: <c>[rows, inputs]</c> to <c>[rows, outputs]</c>, in the type of products.</summary>
    public virtual string Linear(string rows, string layer) => graph.Node("Gemm", [rows, Matrix(layer), Stored($"{layer}.bias")]);

    /// <summary>The product with the weight of a first or last layer, which is never quantised: <c>[..., inputs]</c> to <c>[..., outputs]</c>.</summary>
    public string MultiplyFully(string value, string layer) => graph.Node("MatMul", [value, Matrix(layer)]);

    public string LinearFully(string value, string layer) => graph.Node("Add", [MultiplyFully(value, layer), Stored($"{layer}.bias")]);

    private string Matrix(string layer)
    {
        (int inputs, int outputs, float[] numbers) = weights.Matrix($"{layer}.weight");
        return Store($"{layer}.weight", numbers, inputs, outputs);
    }

    private string Store(string name, float[] numbers, params long[] shape) => compute == DataType.Float
        ? graph.Floats(name, numbers, shape)
        : graph.Initializer(name, compute, () => Halves(name, numbers), shape);

    private static Half[] Halves(string name, float[] numbers)
    {
        Half[] halves = Array.ConvertAll(numbers, n => (Half)n);
        int wrong = Array.FindIndex(halves, Half.IsInfinity);
        return wrong < 0 ? halves : throw new InvalidOperationException(
            FormattableString.Invariant($"The weight '{name}' holds {numbers[wrong]}, more than float16 can ({(float)Half.MaxValue}): export in another precision."));
    }
}

/// <summary>Products of blocks in 8-bit integers. Weights are quantised here, symmetrically, activations when they are there.</summary>
internal sealed class Int8Products(GraphBuilder graph, WeightTable weights, bool fused) : Products(graph, weights, DataType.Float)
{
    /// <summary>
    /// The largest integer: 7 bits of the 8. Processors without VNNI add two products of an unsigned and a signed byte in 16 bits and cut off what
    /// stands over; 255 * 64 * 2 just fits, so every processor gives the same.
    /// </summary>
    public const int Largest = 64;

    public override string Linear(string rows, string layer)
    {
        string name = $"{layer}.weight";
        (int inputs, int outputs, float[] numbers) = Weights.Matrix(name);
        (sbyte[] quantized, float[] scales) = Quantize(numbers, inputs, outputs);
        string weight = Graph.Initializer(name, DataType.Int8, () => quantized, inputs, outputs);
        string scale = Graph.Floats($"{name}.scale", scales, outputs);
        string bias = Stored($"{layer}.bias");
        if (fused) return Graph.RuntimeNode("DynamicQuantizeMatMul", [rows, weight, scale, "", bias]);

        string[] activation = Graph.Nodes("DynamicQuantizeLinear", [rows], 3);   // numbers, scale, zero point
        string sums = Graph.Node("MatMulInteger", [activation[0], weight, activation[2]]);
        return Graph.Node("Add", [Graph.Node("Mul", [Graph.Cast(sums, DataType.Float), Graph.Node("Mul", [activation[1], scale])]), bias]);
    }

    /// <param name="numbers"><c>[inputs, outputs]</c>.</param>
    /// <returns>Integers, <c>[inputs, outputs]</c>, and scales, <c>[outputs]</c>: a number is its integer times its column's scale.</returns>
    public static (sbyte[] Quantized, float[] Scales) Quantize(float[] numbers, int inputs, int outputs)
    {
        var scales = new float[outputs];
        for (int i = 0; i < numbers.Length; i++) scales[i % outputs] = Math.Max(scales[i % outputs], Math.Abs(numbers[i]));
        for (int o = 0; o < outputs; o++) scales[o] = scales[o] > 0 ? scales[o] / Largest : 1;

        var quantized = new sbyte[numbers.Length];
        for (int i = 0; i < numbers.Length; i++)
            quantized[i] = (sbyte)Math.Clamp(MathF.Round(numbers[i] / scales[i % outputs]), -Largest, Largest);
        return (quantized, scales);
    }
}
