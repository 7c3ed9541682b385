namespace Smae.Training;

/// <summary>What a linear probe is trained by.</summary>
public enum ProbeOptimizer
{
    /// <summary>Adam, as in the SMAE paper; with weight decay it is AdamW.</summary>
    Adam,

    /// <summary><see cref="Smae.Training.Lars"/>, as in facebookresearch/mae; <see cref="TrainingOptions.Beta1"/> is its momentum.</summary>
    Lars,
}
