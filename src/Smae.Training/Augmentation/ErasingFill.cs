namespace Smae.Training;

/// <summary>What an erased box is filled with.</summary>
public enum ErasingFill
{
    /// <summary>0, black.</summary>
    Zero,

    /// <summary>
    /// Normal noise, new for each pixel and channel, that has mean 0 and deviation 1 once the images are normalised (timm's mode 'pixel', which
    /// erases after normalisation). It is not clamped to 0..1.
    /// </summary>
    Noise,
}
