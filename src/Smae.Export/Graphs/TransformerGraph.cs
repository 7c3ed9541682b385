using Smae.Training;

namespace Smae.Export;

/// <summary>Writes a stack of transformer blocks. The residual stream is float32, branches run in the type of the products.</summary>
internal sealed class TransformerGraph(GraphBuilder graph, WeightTable weights, Products products, TransformerConfig config, OnnxFlavor flavor)
{
    private readonly bool _fused = flavor == OnnxFlavor.Fastest;

    /// <summary>Writes the blocks and the normalisation after them: <c>[batch, tokens, dim]</c>, float32.</summary>
    /// <param name="blocks">What the names of the blocks' weights begin with: <c>blocks</c> or <c>decoder_blocks</c>.</param>
    /// <param name="mask">What is added to the scores of keys, <c>[batch, 1, 1, tokens]</c>, in the type of the products; null is nothing.</param>
    /// <param name="fuse">Makes the output, before its normalisation, of the streams after all blocks; null takes the last.</param>
    public string Write(string tokens, string blocks, string? finalNorm, string? mask = null, Func<IReadOnlyList<string>, string>? fuse = null)
    {
        string stream = tokens, normed;
        List<string> streams = [];
        using (graph.In($"{blocks}.0")) normed = LayerNorm(stream, $"{blocks}.0.norm1");
        for (int i = 0; i < config.Depth; i++)
        {
            string block = $"{blocks}.{i}";
            using GraphBuilder.Scope scope = graph.In(block);
            string branch = Attention(normed, $"{block}.attn", mask);
            (stream, normed) = AddAndNorm(Carried(stream, normed), branch, $"{block}.attn.proj.bias", $"{block}.norm2");
            branch = Mlp(normed, $"{block}.mlp");
            string? next = i + 1 < config.Depth ? $"{blocks}.{i + 1}.norm1" : fuse is null ? finalNorm : null;
            (stream, normed) = AddAndNorm(Carried(stream, normed), branch, $"{block}.mlp.fc2.bias", next);
            streams.Add(stream);
        }
        if (fuse is null) return normed;
        string fused = fuse(streams);
        return finalNorm is null ? fused : LayerNorm(fused, finalNorm);
    }

    public string LayerNorm(string value, string name)
    {
        using GraphBuilder.Scope scope = graph.In(name[(name.LastIndexOf('.') + 1)..]);
        return graph.Node(
            "LayerNormalization", [value, Floats($"{name}.weight"), Floats($"{name}.bias")], ("axis", -1L), ("epsilon", config.LayerNormEpsilon));
    }

    private string Carried(string stream, string normed) => config.Residual == ResidualStyle.PreNorm ? stream : normed;

    private string Attention(string normed, string name, string? mask)
    {
        using GraphBuilder.Scope scope = graph.In("attn");
        string qkv = Layer(products.ToCompute(normed), name, "qkv");
        qkv = graph.Node("Add", [qkv, products.Stored($"{name}.qkv.bias")]);
        return Layer(Mix(qkv, mask), name, "proj");
    }

    /// <summary>Attention, of queries, keys and values side by side, <c>[batch, tokens, 3 * dim]</c>, to <c>[batch, tokens, dim]</c>.</summary>
    private string Mix(string qkv, string? mask)
    {
        long dim = config.EmbedDim, heads = config.NumHeads, size = dim / heads;
        string[] parts = graph.Nodes("Split", [qkv, graph.Integers(dim, dim, dim)], 3, ("axis", -1L));
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
        string hidden = Layer(products.ToCompute(normed), name, "fc1");
        return Layer(Activate(hidden, $"{name}.fc1.bias"), name, "fc2");
    }

    private string Activate(string value, string bias)
    {
        if (_fused && config.Activation == Activation.Gelu) return graph.RuntimeNode("BiasGelu", [value, products.Stored(bias)]);
        string x = graph.Node("Add", [value, products.Stored(bias)]);
        if (config.Activation == Activation.Relu) return graph.Node("Relu", [x]);
        string Number(double number) => graph.Scalar(number, products.Compute);
        // The order of operators that runtimes know as the exact GELU and make one of.
        string phi = graph.Node("Add", [graph.Node("Erf", [graph.Node("Div", [x, Number(Math.Sqrt(2))])]), Number(1)]);
        return graph.Node("Mul", [graph.Node("Mul", [x, phi]), Number(0.5)]);
    }

    /// <summary>Adds a branch, in the type of the products, and its last layer's bias to the float32 stream and normalises the sum.</summary>
    private (string Stream, string Normed) AddAndNorm(string carried, string branch, string bias, string? norm)
    {
        if (_fused && norm is not null)
        {
            // Outputs: normalised, two statistics that only training wants, sum.
            bool sum = config.Residual == ResidualStyle.PreNorm || config is VisionTransformerConfig { Fusion: not null };
            string[] outputs = graph.RuntimeNode(
                "SkipLayerNormalization",
                [carried, products.ToFloat(branch), Floats($"{norm}.weight"), Floats($"{norm}.bias"), Floats(bias)],
                sum ? [true, false, false, true] : [true], ("epsilon", config.LayerNormEpsilon));
            return (sum ? outputs[3] : outputs[0], outputs[0]);
        }
        string added = graph.Node("Add", [carried, products.ToFloat(graph.Node("Add", [branch, products.Stored(bias)]))]);
        return (added, norm is null ? added : LayerNorm(added, norm));
    }

    private string Floats(string name) => graph.Floats(name, weights[name], config.EmbedDim);

    private string Layer(string value, string parent, string name)
    {
        using GraphBuilder.Scope scope = graph.In(name);
        return products.Multiply(value, $"{parent}.{name}");
    }
}
