using Smae.Training;

namespace Smae.Export;

/// <summary>Writes a stack of transformer blocks with the fused operators of ONNX Runtime: attention, bias and GELU, sum and normalisation.</summary>
/// <inheritdoc/>
internal sealed class FusedTransformerGraph(GraphBuilder graph, WeightTable weights, Products products, TransformerConfig config)
    : TransformerGraph(graph, weights, products, config)
{
    protected override string Mix(string qkv, string? mask)
    {
        if (mask is not null) return base.Mix(qkv, mask);
        return Graph.RuntimeNode("MultiHeadAttention", SplitHeads(qkv), ("num_heads", (long)Config.NumHeads));
    }

    protected override string Activate(string value, string bias) => Config.Activation == Activation.Gelu
        ? Graph.RuntimeNode("BiasGelu", [value, Products.Stored(bias)])
        : base.Activate(value, bias);

    protected override (string Stream, string Normed) AddAndNorm(string carried, string branch, string bias, string? norm)
    {
        if (norm is null) return base.AddAndNorm(carried, branch, bias, norm);
        (string scale, string shift) = NormWeights(norm);
        string added = Floats(bias);
        // Outputs: normalised, two statistics that only training wants, sum.
        bool sum = Config.Residual == ResidualStyle.PreNorm || Config is VisionTransformerConfig { Fusion: not null };
        string[] outputs = Graph.RuntimeNode(
            "SkipLayerNormalization", [carried, Products.ToFloat(branch), scale, shift, added], sum ? [true, false, false, true] : [true],
            ("epsilon", Config.LayerNormEpsilon));
        return (sum ? outputs[3] : outputs[0], outputs[0]);
    }
}
