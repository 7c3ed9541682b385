namespace Smae.Training;

/// <summary>How predicted features are compared with a teacher's in <see cref="SelfDistillationObjective"/>.</summary>
public enum FeatureLoss
{
    /// <summary>1 - the cosine between the two vectors of a token, mean over tokens.</summary>
    TokenCosine,

    /// <summary>
    /// 1 - the cosine between what a channel is over the tokens of a fold, mean over channels: what the code of SdAE computes, surely meant as
    /// <see cref="TokenCosine"/>.
    /// </summary>
    ChannelCosine,

    /// <summary>The mean squared error, as the text of SdAE has it.</summary>
    MeanSquaredError,
}
