namespace Smae.Training;

/// <summary>How the weights of a new model are drawn. Biases start at 0, normalisation layers at 1 and 0.</summary>
public enum WeightInitialization
{
    /// <summary>As facebookresearch/mae: Xavier uniform for every linear layer and the patch projection; class and mask token normal(0, 0.02).</summary>
    Mae,

    /// <summary>As the code of SMAE: Xavier uniform with gain sqrt(2); mask token normal(0, 1e-3), class token normal(0, 1e-6).</summary>
    Smae,
}
