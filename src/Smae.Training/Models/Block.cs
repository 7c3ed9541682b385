using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>A transformer block: attention, then MLP, each with its normalisation and residual (timm's <c>blocks.N</c>).</summary>
internal sealed class Block : nn.Module<Tensor, ScalarType, Tensor>
{
    private readonly TransformerConfig _config;
    private readonly ForwardNoise _noise;
    [ComponentName(Name = "norm1")] private readonly LayerNorm _norm1;
    [ComponentName(Name = "attn")] private readonly Attention _attention;
    [ComponentName(Name = "norm2")] private readonly LayerNorm _norm2;
    [ComponentName(Name = "mlp")] private readonly Mlp _mlp;

    public Block(TransformerConfig config, ForwardNoise noise) : base(nameof(Block))
    {
        (_config, _noise) = (config, noise);
        _norm1 = new LayerNorm(config.EmbedDim, config.LayerNormEpsilon);
        _attention = new Attention(config, noise);
        _norm2 = new LayerNorm(config.EmbedDim, config.LayerNormEpsilon);
        _mlp = new Mlp(config, noise);
        RegisterComponents();
    }

    /// <summary>Probability of dropping a branch of an image while training.</summary>
    public double DropPath { get; set; }

    /// <param name="x">The residual stream <c>[batch, tokens, dim]</c>, float32.</param>
    /// <param name="compute">The type that the products run in.</param>
    /// <returns>The residual stream after this block, float32.</returns>
    public override Tensor forward(Tensor x, ScalarType compute) => forward(x, compute, first: 0);

    /// <param name="x">The residual stream <c>[batch, tokens, dim]</c>, float32.</param>
    /// <param name="compute">The type that the products run in.</param>
    /// <param name="first">The first token that is asked for; those before it are only looked at.</param>
    /// <returns>The residual stream after this block from that token on, float32.</returns>
    public Tensor forward(Tensor x, ScalarType compute, long first)
    {
        // What backward does not need is freed at once: else a whole batch's tensors of all blocks stand in memory together, which no cache holds.
        using DisposeScope scope = NewDisposeScope();
        x = Add(x, _norm1, normed => _attention.forward(normed, first), compute, first);
        return Add(x, _norm2, _mlp.forward, compute).MoveToOuterDisposeScope();
    }

    /// <summary>The attention of this block, see <see cref="Attention.Weights"/>.</summary>
    /// <param name="x">The residual stream <c>[batch, tokens, dim]</c>, float32.</param>
    /// <param name="compute">The type that the products run in.</param>
    public Tensor AttentionWeights(Tensor x, ScalarType compute) => _attention.Weights(_norm1.forward(x, compute));

    private bool CarriesNormed => _config.Residual == ResidualStyle.Normed;

    private Tensor Add(Tensor x, LayerNorm norm, Func<Tensor, Tensor> branch, ScalarType compute, long first = 0)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor normed = norm.forward(x, CarriesNormed ? ScalarType.Float32 : compute);
        Tensor added = branch(normed.to_type(compute));
        if (training) added = _noise.DropPath(added, DropPath);
        Tensor carried = CarriesNormed ? normed : x;
        if (first > 0) carried = carried.narrow(1, first, carried.size(1) - first);
        return (carried + added).MoveToOuterDisposeScope();   // float32 + bfloat16 gives float32
    }
}
