using TorchSharp.Modules;
using TorchSharp.Utils;

namespace Smae.Training;

/// <summary>
/// What decoders have in common: a projection to their width, a learned token for hidden places, positions, blocks, and a linear layer to the predictions.
/// Parameter names are those of facebookresearch/mae: <c>mask_token</c>, <c>decoder_embed</c>, <c>decoder_pos_embed</c>, <c>decoder_blocks.N...</c>,
/// <c>decoder_norm</c>, <c>decoder_pred</c>.
/// </summary>
/// <typeparam name="TBlock">The kind of its blocks.</typeparam>
internal abstract class PatchDecoder<TBlock> : nn.Module where TBlock : Block
{
    [ComponentName(Name = "decoder_embed")] private protected readonly Linear _embed;
    [ComponentName(Name = "mask_token")] private protected Parameter _maskToken;
    [ComponentName(Name = "decoder_pos_embed")] private protected Tensor _positions;
    [ComponentName(Name = "decoder_blocks")] private protected readonly ModuleList<TBlock> _blocks;
    [ComponentName(Name = "decoder_norm")] private protected readonly LayerNorm? _norm;
    [ComponentName(Name = "decoder_pred")] private protected readonly Linear _predict;

    /// <param name="outputs">Numbers that are predicted for a patch.</param>
    /// <param name="classToken">Whether the first token is no patch's.</param>
    private protected PatchDecoder(
        string name, DecoderConfig config, VisionTransformerConfig encoder, bool classToken, int outputs, WeightInitializer draw, Func<TBlock> block) : base(name)
    {
        using DisposeScope scope = NewDisposeScope();
        _embed = new Linear(encoder.EmbedDim, config.EmbedDim);
        _maskToken = new Parameter(zeros(1, 1, config.EmbedDim));
        _positions = PositionTable.Of(config, encoder.GridHeight, encoder.GridWidth, classToken);
        _blocks = new([.. Enumerable.Range(0, config.Depth).Select(_ => block())]);
        if (config.FinalNorm) _norm = nn.LayerNorm(config.EmbedDim, config.LayerNormEpsilon);
        _predict = new Linear(config.EmbedDim, outputs);
        RegisterComponents();
        this.DetachFromDisposeScopes();

        draw.XavierLinears(this);
        draw.Normal(_maskToken, draw.MaskTokenStd);
        if (_positions is Parameter learned) draw.Normal(learned, 0.02);
    }

    /// <summary>Predictions for the tokens that come from the last block, float32.</summary>
    private protected Tensor Predict(Tensor x, ScalarType compute)
    {
        if (_norm is not null) x = _norm.forward(x);
        return _predict.forward(x.to_type(compute)).to_type(ScalarType.Float32);
    }
}

/// <summary>The decoder of a masked autoencoder: fills the hidden places with one learned token, puts all tokens back in order and predicts every patch.</summary>
internal sealed class MaskedDecoder(DecoderConfig config, VisionTransformerConfig encoder, int outputs, WeightInitializer draw, ForwardNoise noise)
    : PatchDecoder<Block>(nameof(MaskedDecoder), config, encoder, KeepsClassToken(config, encoder), outputs, draw, () => new Block(config, noise))
{
    private readonly bool _classToken = KeepsClassToken(config, encoder);

    /// <summary>Whether the class token goes through the decoder; otherwise the caller takes it off first.</summary>
    public static bool KeepsClassToken(DecoderConfig config, VisionTransformerConfig encoder) =>
        config.KeepClassToken && encoder.ClassToken == ClassToken.First;

    public ScalarType Compute { get; set; } = ScalarType.Float32;

    /// <param name="latent">What the encoder made of the visible patches, <c>[batch, (1 +) visible, encoder dim]</c>, float32.</param>
    /// <returns>A prediction for every patch, visible or not: <c>[batch, patches, outputs]</c>, float32.</returns>
    public Tensor forward(Tensor latent, PatchMask mask)
    {
        Tensor x = _embed.forward(latent.to_type(Compute));
        int offset = _classToken ? 1 : 0;
        long batch = x.size(0), visible = x.size(1) - offset, dim = x.size(2);

        Tensor tokens = offset == 0 ? x : x.narrow(1, offset, visible);
        Tensor hidden = _maskToken.to_type(x.dtype).expand(batch, mask.PatchCount - visible, dim);
        tokens = Patches.Pick(cat([tokens, hidden], 1), mask.Restore);
        x = (offset == 0 ? tokens : cat([x.narrow(1, 0, offset), tokens], 1)).Plus(_positions);

        foreach (Block block in _blocks) x = block.forward(x, Compute);
        return Predict(offset > 0 ? x.narrow(1, offset, mask.PatchCount) : x, Compute);
    }

    /// <summary>
    /// A prediction for the hidden patches alone, the same as <see cref="forward"/> makes for less: attention does not look at the order of tokens, so
    /// they stay in that of the mask, and the last block asks for the hidden ones only.
    /// </summary>
    /// <returns><c>[batch, hidden, outputs]</c>, float32, in the order of the mask.</returns>
    public Tensor PredictHidden(Tensor latent, PatchMask mask)
    {
        Tensor x = _embed.forward(latent.to_type(Compute));
        long batch = x.size(0), seen = x.size(1), dim = x.size(2);
        Tensor order = _classToken ? cat([zeros(batch, 1, ScalarType.Int64, x.device), mask.Order.Plus(1)], 1) : mask.Order;
        Tensor positions = _positions.squeeze(0).index_select(0, order.flatten()).view(batch, -1, dim);
        x = cat([x, _maskToken.to_type(x.dtype).expand(batch, mask.HiddenCount, dim)], 1).Plus(positions);
        for (int i = 0; i < _blocks.Count; i++) x = _blocks[i].forward(x, Compute, first: i == _blocks.Count - 1 ? seen : 0);
        return Predict(x, Compute);
    }
}
