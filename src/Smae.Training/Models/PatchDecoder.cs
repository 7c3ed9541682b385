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
