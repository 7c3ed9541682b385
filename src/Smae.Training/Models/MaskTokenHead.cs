using TorchSharp.Modules;
using TorchSharp.Utils;

namespace Smae.Training;

/// <summary>
/// What an encoder that sees hidden patches as mask tokens is trained with (SimMIM, MaskFeat, data2vec): the token, and one linear layer from encoded tokens to
/// predictions. Parameters bear the names that <see cref="MaskedDecoder"/> gives its own: <c>mask_token</c>, <c>decoder_pred</c>.
/// </summary>
internal sealed class MaskTokenHead : nn.Module<Tensor, ScalarType, Tensor>
{
    [ComponentName(Name = "mask_token")] private Parameter _maskToken;
    [ComponentName(Name = "decoder_pred")] private readonly Linear _predict;

    /// <param name="encoder">The shape of the encoder.</param>
    /// <param name="outputs">Numbers that are predicted for a patch.</param>
    public MaskTokenHead(VisionTransformerConfig encoder, int outputs, Generator generator) : base(nameof(MaskTokenHead))
    {
        using DisposeScope scope = NewDisposeScope();
        _maskToken = new Parameter(zeros(1, 1, encoder.EmbedDim));
        _predict = new Linear(encoder.EmbedDim, outputs);
        RegisterComponents();
        this.DetachFromDisposeScopes();
        var draw = new WeightInitializer(encoder.Initialization, generator);
        draw.XavierLinears(this);
        draw.Normal(_maskToken, draw.MaskTokenStd);
    }

    /// <summary>What the encoder sees in place of a hidden patch, <c>[1, 1, dim]</c>.</summary>
    public Parameter MaskToken => _maskToken;

    /// <param name="tokens">Encoded tokens, <c>[batch, tokens, dim]</c>.</param>
    /// <returns><c>[batch, tokens, outputs]</c>, float32.</returns>
    public override Tensor forward(Tensor tokens, ScalarType compute) => _predict.forward(tokens.to_type(compute)).to_type(ScalarType.Float32);

    /// <summary>Encodes images with mask tokens and predicts their hidden patches.</summary>
    /// <param name="patches">All patches, <c>[batch, patches, patch * patch * channels]</c>.</param>
    /// <returns><c>[batch, hidden, outputs]</c>, float32, in the order of the mask.</returns>
    public Tensor PredictHidden(VisionTransformer encoder, Tensor patches, PatchMask mask)
    {
        mask.CheckSize(patches.size(0), patches.size(1));
        Tensor tokens = encoder.PatchTokens(encoder.Encode(patches, mask.Hidden(), _maskToken));
        return forward(Patches.Pick(tokens, mask.HiddenIndices()), encoder.Precision.ToScalarType());
    }
}
