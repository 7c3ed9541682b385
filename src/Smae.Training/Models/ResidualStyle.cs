namespace Smae.Training;

/// <summary>What a transformer block adds its output to.</summary>
public enum ResidualStyle
{
    /// <summary><c>x + f(norm(x))</c>: the residual stream is never normalised (ViT, MAE).</summary>
    PreNorm,

    /// <summary><c>norm(x) + f(norm(x))</c>: the residual carries the normed value (the code of SMAE).</summary>
    Normed,
}
