namespace Smae.MLNet;

/// <summary>What a picture of a reconstruction shows.</summary>
public enum ReconstructionView
{
    /// <summary>The image with hidden patches as the autoencoder predicts them.</summary>
    Reconstruction,

    /// <summary>The image with hidden patches in the mean colour: what the autoencoder sees.</summary>
    Masked,

    /// <summary>The image, what the autoencoder sees of it and the reconstruction, from left to right.</summary>
    SideBySide,
}
