namespace Reproduction;

/// <summary>A model that a method learns from and that must be there before it.</summary>
internal enum Helper
{
    None,

    /// <summary>SMAE's SqueezeNet, trained on labels.</summary>
    Critic,

    /// <summary>DMAE's larger autoencoder.</summary>
    Teacher,
}
