using Smae.Training;
using DataType = Smae.Export.TensorProto.Types.DataType;

namespace Smae.Export;

/// <summary>
/// Writes a stack of transformer blocks in standard operators. The residual stream is float32, branches run in the type of the products.
/// </summary>
/// <param name="graph">Where to.</param>
/// <param name="weights">The weights.</param>
/// <param name="products">Writes the products with weights.</param>
/// <param name="config">The shape of the blocks.</param>
internal class TransformerGraph(GraphBuilder graph, WeightTable weights, Products products, TransformerConfig config)
{
    protected GraphBuilder Graph => graph;

    protected Products Products => products;

    protected TransformerConfig Config => config;

    /// <summary>The writer of a flavor.</summary>
    public static TransformerGraph Create(GraphBuilder graph, WeightTable weights, Products products, TransformerConfig config, OnnxFlavor flavor) =>
        flavor == OnnxFlavor.Fastest
            ? new FusedTransformerGraph(graph, weights, products, config)
            : new TransformerGraph(graph, weights, products, config);

    /// <summary>Writes the blocks and the normalisation after them.</summary>
    /// <param name="tokens"><c>[batch, tokens, dim]</c>, float32.</param>
    /// <param name="blocks">What the names of the blocks' weights begin with: <c>blocks</c> or <c>decoder_blocks</c>.</param>
    /// <param name="finalNorm">The name of the normalisation after the last block; null is none.</param>
    /// <param name="mask">What is added to the scores of keys, <c>[batch, 1, 1, tokens]</c>, in the type of the products; null is nothing.</param>
    /// <param name="fuse">Makes the output, before its normalisation, of the streams after all blocks; null takes the last.</param>
    /// <returns><c>[batch, tokens, dim]</c>, float32.</returns>
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

    /// <summary>Layer normalisation of float32 over the last dimension.</summary>
    public string LayerNorm(string value, string name)
    {
        using GraphBuilder.Scope scope = graph.In(Last(name));
        (string scale, string bias) = NormWeights(name);
        return graph.Node("LayerNormalization", [value, scale, bias], ("axis", -1L), ("epsilon", config.LayerNormEpsilon));
    }

    /// <summary>Mixes values by the softmax of scaled scores.</summary>
    /// <param name="qkv">Queries, keys and values side by side, <c>[batch, tokens, 3 * dim]</c>.</param>
    /// <param name="mask">What is added to the scores of keys; null is nothing.</param>
    /// <returns><c>[batch, tokens, dim]</c>.</returns>
    protected virtual string Mix(string qkv, string? mask)
    {
        long heads = config.NumHeads, size = config.EmbedDim / heads;
        string[] parts = SplitHeads(qkv);
        string Heads(string part, params long[] order) => graph.Transpose(graph.Reshape(part, 0, 0, heads, size), order);
        string query = Heads(parts[0], 0, 2, 1, 3), key = Heads(parts[1], 0, 2, 3, 1), value = Heads(parts[2], 0, 2, 1, 3);
        string scores = graph.Node("MatMul", [graph.Node("Mul", [query, graph.Scalar(1 / Math.Sqrt(size), products.Compute)]), key]);
        if (mask is not null) scores = graph.Node("Add", [scores, mask]);
        string mixed = graph.Node("MatMul", [graph.Node("Softmax", [scores], ("axis", -1L)), value]);
        return graph.Reshape(graph.Transpose(mixed, 0, 2, 1, 3), 0, 0, config.EmbedDim);
    }

    /// <summary>Adds a layer's bias and applies the non-linearity.</summary>
    protected virtual string Activate(string value, string bias)
    {
        string x = graph.Node("Add", [value, products.Stored(bias)]);
        if (config.Activation == Activation.Relu) return graph.Node("Relu", [x]);
        string Number(double number) => graph.Scalar(number, products.Compute);
        // The order of operators that runtimes know as the exact GELU and make one of.
        string phi = graph.Node("Add", [graph.Node("Erf", [graph.Node("Div", [x, Number(Math.Sqrt(2))])]), Number(1)]);
        return graph.Node("Mul", [graph.Node("Mul", [x, phi]), Number(0.5)]);
    }

    /// <summary>Adds a branch and its last layer's bias to the stream and normalises the sum.</summary>
    /// <param name="carried">What is added to, float32.</param>
    /// <param name="branch">What the branch gave, without the bias of its last layer, in the type of the products.</param>
    /// <param name="bias">That bias.</param>
    /// <param name="norm">The normalisation; null is none.</param>
    /// <returns>The sum and the normalised sum.</returns>
    protected virtual (string Stream, string Normed) AddAndNorm(string carried, string branch, string bias, string? norm)
    {
        string sum = graph.Node("Add", [carried, products.ToFloat(graph.Node("Add", [branch, products.Stored(bias)]))]);
        return (sum, norm is null ? sum : LayerNorm(sum, norm));
    }

    protected string[] SplitHeads(string qkv)
    {
        long dim = config.EmbedDim;
        return graph.Nodes("Split", [qkv, graph.Integers(dim, dim, dim)], 3, ("axis", -1L));
    }

    protected (string Scale, string Bias) NormWeights(string name) => (Floats($"{name}.weight"), Floats($"{name}.bias"));

    protected string Floats(string name) => graph.Floats(name, weights[name], config.EmbedDim);

    private string Carried(string stream, string normed) => config.Residual == ResidualStyle.PreNorm ? stream : normed;

    private string Attention(string normed, string name, string? mask)
    {
        using GraphBuilder.Scope scope = graph.In("attn");
        string qkv = Layer(products.ToCompute(normed), name, "qkv");
        qkv = graph.Node("Add", [qkv, products.Stored($"{name}.qkv.bias")]);
        return Layer(Mix(qkv, mask), name, "proj");
    }

    private string Mlp(string normed, string name)
    {
        using GraphBuilder.Scope scope = graph.In("mlp");
        string hidden = Layer(products.ToCompute(normed), name, "fc1");
        return Layer(Activate(hidden, $"{name}.fc1.bias"), name, "fc2");
    }

    private string Layer(string value, string parent, string name)
    {
        using GraphBuilder.Scope scope = graph.In(name);
        return products.Multiply(value, $"{parent}.{name}");
    }

    private static string Last(string name) => name[(name.LastIndexOf('.') + 1)..];
}
