namespace Smae.Training;

/// <summary>How features of a student are brought to the width of its teacher's.</summary>
public enum FeatureProjection
{
    /// <summary>By one linear layer (Bai et al. 2023).</summary>
    Linear,

    /// <summary>By a linear layer to the teacher's width, exact GELU and another linear layer (Garcia, Senel and Frantzolas).</summary>
    Mlp,
}
