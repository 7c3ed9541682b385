using Smae.Training;
using DataType = Smae.Export.TensorProto.Types.DataType;

namespace Smae.Export;

/// <summary>
/// Writes a stack of transformer blocks. The residual stream is float32, branches run in the type of the products. Tokens of all images stand below each other,
/// <c>[batch * tokens, dim]</c>, wherever they do not look at each other: as the rows of a Gemm, which adds the bias as it multiplies.
/// </summary>
internal sealed class TransformerGraph(GraphBuilder graph, WeightTable weights, Products products, TransformerConfig config, OnnxFlavor flavor)
{
    private readonly bool _fused = flavor == OnnxFlavor.Fastest;
    private string _shape = "";

    /// <summary>Writes the blocks and the normalisation after them: <c>[batch, tokens, dim]</c>, float32.</summary>
    /// <param name="blocks">What the names of the blocks' weights begin with: <c>blocks</c> or <c>decoder_blocks</c>.</param>
    /// <param name="mask">What is added to the scores of keys, <c>[batch, 1, 1, tokens]</c>, in the type of the products; null is nothing.</param>
    /// <param name="fuse">Makes the output, before its normalisation, of the streams after all blocks; null takes the last.</param>
    public string Write(string tokens, string blocks, string? finalNorm, string? mask = null, Func<IReadOnlyList<string>, string>? fuse = null)
    {
        _shape = graph.Node("Shape", [tokens]);
        string stream = Rows(tokens), normed;
        List<string> streams = [];
        using (graph.In($"{blocks}.0")) normed = LayerNorm(stream, $"{blocks}.0.norm1");
        for (int i = 0; i < config.Depth; i++)
        {
            string block = $"{blocks}.{i}";
            using GraphBuilder.Scope scope = graph.In(block);
            string branch = Attention(normed, $"{block}.attn", mask);
            (stream, normed) = AddAndNorm(Carried(stream, normed), branch, $"{block}.norm2");
            branch = Mlp(normed, $"{block}.mlp");
            string? next = i + 1 < config.Depth ? $"{blocks}.{i + 1}.norm1" : fuse is null ? finalNorm : null;
            (stream, normed) = AddAndNorm(Carried(stream, normed), branch, next);
            streams.Add(stream);
        }
        if (fuse is null) return Tokens(normed);
        string fused = Tokens(fuse(streams));
        return finalNorm is null ? fused : LayerNorm(fused, finalNorm);
    }

    public string LayerNorm(string value, string name)
    {
        using GraphBuilder.Scope scope = graph.In(name[(name.LastIndexOf('.') + 1)..]);
        return graph.Node(
            "LayerNormalization", [value, Floats($"{name}.weight"), Floats($"{name}.bias")], ("axis", -1L), ("epsilon", config.LayerNormEpsilon));
    }

    private string Rows(string tokens) => graph.Reshape(tokens, -1, config.EmbedDim);

    private string Tokens(string rows) => graph.Node("Reshape", [rows, _shape]);

    private string Carried(string stream, string normed) => config.Residual == ResidualStyle.PreNorm ? stream : normed;

    private string Attention(string normed, string name, string? mask)
    {
        using GraphBuilder.Scope scope = graph.In("attn");
        string qkv = Layer(products.ToCompute(normed), name, "qkv");
        return Layer(Rows(Mix(qkv, mask)), name, "proj");
    }

    /// <summary>Attention, of queries, keys and values side by side, <c>[rows, 3 * dim]</c>, to <c>[batch, tokens, dim]</c>.</summary>
    private string Mix(string qkv, string? mask)
    {
        long dim = config.EmbedDim, heads = config.NumHeads, size = dim / heads;
        string[] parts = [.. graph.Nodes("Split", [qkv, graph.Integers(dim, dim, dim)], 3, ("axis", -1L)).Select(Tokens)];
        if (_fused && mask is null) return graph.RuntimeNode("MultiHeadAttention", parts, ("num_heads", heads));
        string Heads(string part, params long[] order) => graph.Transpose(graph.Reshape(part, 0, 0, heads, size), order);
        string query = Heads(parts[0], 0, 2, 1, 3), key = Heads(parts[1], 0, 2, 3, 1), value = Heads(parts[2], 0, 2, 1, 3);
        string scores = graph.Node("MatMul", [graph.Node("Mul", [query, graph.Scalar(1 / Math.Sqrt(size), products.Compute)]), key]);
        if (mask is not null) scores = graph.Node("Add", [scores, mask]);
        string mixed = graph.Node("MatMul", [graph.Node("Softmax", [scores], ("axis", -1L)), value]);
        return graph.Reshape(graph.Transpose(mixed, 0, 2, 1, 3), 0, 0, dim);
    }

    private string Mlp(string normed, string name)
    {
        using GraphBuilder.Scope scope = graph.In("mlp");
        return Layer(Activate(Layer(products.ToCompute(normed), name, "fc1")), name, "fc2");
    }

    private string Activate(string x)
    {
        if (config.Activation == Activation.Relu) return graph.Node("Relu", [x]);
        if (_fused) return graph.RuntimeNode("Gelu", [x]);
        string Number(double number) => graph.Scalar(number, products.Compute);
        // The order of operators that runtimes know as the exact GELU and make one of.
        string phi = graph.Node("Add", [graph.Node("Erf", [graph.Node("Div", [x, Number(Math.Sqrt(2))])]), Number(1)]);
        return graph.Node("Mul", [graph.Node("Mul", [x, phi]), Number(0.5)]);
    }

    /// <summary>Adds a branch, in the type of the products, to the float32 stream and normalises the sum.</summary>
    private (string Stream, string Normed) AddAndNorm(string carried, string branch, string? norm)
    {
        branch = products.ToFloat(branch);
        // One kernel on GPUs. On a CPU, ONNX Runtime's takes three times as long as an addition and a LayerNormalization.
        if (_fused && products.Compute == DataType.Float16 && norm is not null)
        {
            // Outputs: normalised, two statistics that only training wants, sum.
            string[] outputs = graph.RuntimeNode(
                "SkipLayerNormalization", [carried, branch, Floats($"{norm}.weight"), Floats($"{norm}.bias")], [true, false, false, true],
                ("epsilon", config.LayerNormEpsilon));
            return (outputs[3], outputs[0]);
        }
        string added = graph.Node("Add", [carried, branch]);
        return (added, norm is null ? added : LayerNorm(added, norm));
    }

    private string Floats(string name) => graph.Floats(name, weights[name], config.EmbedDim);

    private string Layer(string value, string parent, string name)
    {
        using GraphBuilder.Scope scope = graph.In(name);
        return products.Linear(value, $"{parent}.{name}");
    }
}
