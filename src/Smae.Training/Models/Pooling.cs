namespace Smae.Training;

/// <summary>How the tokens of an image become one vector.</summary>
public enum Pooling
{
    /// <summary>The mean over the tokens of all patches.</summary>
    Mean,

    /// <summary>The class token.</summary>
    ClassToken,
}
