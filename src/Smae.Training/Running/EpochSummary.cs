using System.Globalization;

namespace Smae.Training;

/// <summary>An epoch that is over.</summary>
/// <param name="Epoch">The epoch, counted from 1.</param>
/// <param name="Loss">Mean loss over the epoch's images.</param>
/// <param name="LearningRate">Learning rate of its last step.</param>
/// <param name="ImagesPerSecond">Images a second over this epoch.</param>
public sealed record EpochSummary(int Epoch, double Loss, double LearningRate, double ImagesPerSecond)
{
    /// <summary>How the model did on the validation images after this epoch; null where that was not looked at.</summary>
    public Evaluation? Validation { get; init; }

    /// <summary>One line for people.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"epoch {Epoch}: loss {Loss:F4}, lr {LearningRate:G3}, {ImagesPerSecond:F0} images/s")
        + (Validation is null ? "" : $"; validation {Validation}");
}
