using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>What a masked autoencoder is trained for: makes one number of a reconstruction.</summary>
public abstract record Objective
{
    /// <summary>The pixel loss of MAE.</summary>
    /// <param name="normalizePatches">Whether each target patch is normalised by its own mean and deviation. Default true.</param>
    /// <param name="hiddenOnly">Whether only hidden patches count. Default true.</param>
    public static Objective Pixel(bool normalizePatches = true, bool hiddenOnly = true) => new PixelObjective(normalizePatches, hiddenOnly);

    /// <summary>The loss of a batch.</summary>
    /// <param name="reconstruction">What the model made of the images.</param>
    /// <returns>A scalar, float32, with its graph.</returns>
    public abstract Tensor Loss(Reconstruction reconstruction);
}
