using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>How the loss of a step is made, at once or in parts.</summary>
/// <param name="Whole">The mean loss of all its images, a scalar with its graph.</param>
internal sealed record StepLoss(Func<Tensor> Whole)
{
    /// <summary>
    /// The mean loss of some of the images, from the first number up to the second; may be called by several threads at once. Null where parts do not add
    /// up to the whole: batch statistics, pairs of images.
    /// </summary>
    public Func<int, int, Tensor>? OfPart { get; init; }

    /// <summary>See <see cref="CoreThreads.Parts"/>. Default 1.</summary>
    public int RowsPerImage { get; init; } = 1;
}
