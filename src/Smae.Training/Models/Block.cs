using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>A transformer block: attention, then MLP, each with its normalisation and residual (timm's <c>blocks.N</c>).</summary>
internal sealed class Block : nn.Module<Tensor, ScalarType, Tensor>
{
    private readonly ResidualStyle _residual;
    [ComponentName(Name = "norm1")] private readonly LayerNorm _norm1;
    [ComponentName(Name = "attn")] private readonly Attention _attention;
    [ComponentName(Name = "norm2")] private readonly LayerNorm _norm2;
    [ComponentName(Name = "mlp")] private readonly Mlp _mlp;

    public Block(TransformerConfig config) : base(nameof(Block))
    {
        _residual = config.Residual;
        _norm1 = new LayerNorm(config.EmbedDim, config.LayerNormEpsilon);
        _attention = new Attention(config);
        _norm2 = new LayerNorm(config.EmbedDim, config.LayerNormEpsilon);
        _mlp = new Mlp(config);
        RegisterComponents();
    }

    /// <param name="x">The residual stream <c>[batch, tokens, dim]</c>, float32.</param>
    /// <param name="compute">The type that the products run in.</param>
    /// <returns>The residual stream after this block, float32.</returns>
    public override Tensor forward(Tensor x, ScalarType compute)
    {
        x = Add(x, _norm1.forward(x), _attention, compute);
        return Add(x, _norm2.forward(x), _mlp, compute);
    }

    private Tensor Add(Tensor x, Tensor normed, nn.Module<Tensor, Tensor> branch, ScalarType compute)
    {
        Tensor carried = _residual == ResidualStyle.PreNorm ? x : normed;
        return carried + branch.forward(normed.to_type(compute));   // float32 + bfloat16 gives float32
    }
}
