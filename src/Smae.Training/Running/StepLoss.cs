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

    /// <summary>Rows that an image adds to the model's matrix products, the tokens of a transformer: how many images make a part worth a thread's while.</summary>
    public int RowsPerImage { get; init; } = 1;
}
