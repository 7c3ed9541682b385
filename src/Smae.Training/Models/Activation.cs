namespace Smae.Training;

/// <summary>The non-linearity between the two layers of a block's MLP.</summary>
public enum Activation
{
    /// <summary>Exact Gaussian error linear unit, <c>x * Phi(x)</c> (ViT, MAE).</summary>
    Gelu,

    /// <summary>Rectified linear unit, <c>max(0, x)</c> (the code of SMAE).</summary>
    Relu,
}
