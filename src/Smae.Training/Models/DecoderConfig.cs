namespace Smae.Training;

/// <summary>The shape of a masked autoencoder's decoder: the light transformer that turns latents back into pixels and is thrown away after pretraining.</summary>
public sealed record DecoderConfig : TransformerConfig
{
    /// <summary>
    /// Whether the encoder's class token passes through the decoder, as in facebookresearch/mae. Default true. The code of SMAE drops it first.
    /// A class token that stands last (<see cref="ClassToken.Last"/>) is always dropped.
    /// </summary>
    public bool KeepClassToken { get; init; } = true;

    /// <summary>The decoder of facebookresearch/mae for every size: 8 blocks of width 512 with 16 heads.</summary>
    public static DecoderConfig Mae { get; } = new() { EmbedDim = 512, Depth = 8, NumHeads = 16 };

    /// <summary>The decoder of the SMAE paper for ViT-Lite: 2 blocks of width 128 with 4 heads, MLP of 256, ReLU, no norm at the end.</summary>
    public static DecoderConfig Smae { get; } = new()
    {
        EmbedDim = 128, Depth = 2, NumHeads = 4, MlpRatio = 2, Activation = Activation.Relu, Residual = ResidualStyle.Normed,
        Positions = PositionEncoding.SineCosine1D, FinalNorm = false, KeepClassToken = false, LayerNormEpsilon = 1e-5,
    };
}
