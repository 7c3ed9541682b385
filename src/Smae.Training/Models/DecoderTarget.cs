namespace Smae.Training;

/// <summary>What the decoder of a masked autoencoder predicts for each patch.</summary>
public enum DecoderTarget
{
    /// <summary>Its pixels: <see cref="VisionTransformerConfig.PatchDim"/> numbers (MAE).</summary>
    Pixels,

    /// <summary>Features of the encoder's width: <see cref="TransformerConfig.EmbedDim"/> numbers of the encoder (SdAE).</summary>
    Features,

    /// <summary>Nothing: there is no decoder (DINO).</summary>
    None,
}
