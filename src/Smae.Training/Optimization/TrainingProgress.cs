using System.Globalization;

namespace Smae.Training;

/// <summary>Where a run stands.</summary>
public sealed record TrainingProgress
{
    /// <summary>The epoch under way, counted from 1.</summary>
    public required int Epoch { get; init; }

    /// <summary>Epochs of the run.</summary>
    public required int Epochs { get; init; }

    /// <summary>Steps done in the whole run.</summary>
    public required long Step { get; init; }

    /// <summary>Steps of the whole run.</summary>
    public required long TotalSteps { get; init; }

    /// <summary>Mean loss of the epoch so far.</summary>
    public required double Loss { get; init; }

    /// <summary>Learning rate of the last step.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Images a second, since the run began or went on.</summary>
    public required double ImagesPerSecond { get; init; }

    /// <summary>Time since the run began or went on.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Whether this is the report of an epoch's end.</summary>
    public required bool EpochEnded { get; init; }

    /// <summary>Time left at the pace so far.</summary>
    public required TimeSpan Remaining { get; init; }

    /// <summary>How the model did on the images held out, after this epoch; null where that was not looked at, and before an epoch's end.</summary>
    public LabelFreeEvaluation? HeldOut { get; init; }

    /// <summary>One line for people.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"epoch {Epoch}/{Epochs}  step {Step}/{TotalSteps}  loss {Loss:F4}  lr {LearningRate:G3}  {ImagesPerSecond:F0} images/s  {Remaining:hh\\:mm\\:ss} left")
        + (HeldOut is null ? "" : $"  {HeldOut}");
}

/// <summary>An epoch that is over.</summary>
/// <param name="Epoch">The epoch, counted from 1.</param>
/// <param name="Loss">Mean loss over the epoch's images.</param>
/// <param name="LearningRate">Learning rate of its last step.</param>
/// <param name="ImagesPerSecond">Images a second over this epoch.</param>
public sealed record EpochSummary(int Epoch, double Loss, double LearningRate, double ImagesPerSecond)
{
    /// <summary>How the model did on the validation images after this epoch; null where that was not looked at.</summary>
    public Evaluation? Validation { get; init; }

    /// <summary>How the model did on images that pretraining held out, after this epoch; null where that was not looked at.</summary>
    public LabelFreeEvaluation? HeldOut { get; init; }

    /// <summary>One line for people.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"epoch {Epoch}: loss {Loss:F4}, lr {LearningRate:G3}, {ImagesPerSecond:F0} images/s")
        + (Validation is null ? "" : $"; validation {Validation}") + (HeldOut is null ? "" : $"; held out {HeldOut}");
}

/// <summary>A run stopped because its loss became infinite or not a number.</summary>
public sealed class NonFiniteLossException(double loss, int epoch, long step, double learningRate) : Exception(
    string.Create(CultureInfo.InvariantCulture, $"The loss became {loss} in epoch {epoch}, step {step}, at a learning rate of {learningRate:G3}. ")
    + "Lower LearningRate, lengthen WarmupEpochs, or train in Precision.Float32; with Checkpoints, Checkpoints.ContinueFrom goes on like that from the last "
    + "good one, and RecoverFromNonFiniteLoss has the run do so by itself.")
{
    /// <summary>The epoch, counted from 1.</summary>
    public int Epoch { get; } = epoch;

    /// <summary>The step, counted from 1.</summary>
    public long Step { get; } = step;
}

/// <summary>Where a step stands in its run.</summary>
/// <param name="Epoch">The epoch, counted from 0.</param>
/// <param name="Step">The step within the run, counted from 0.</param>
public readonly record struct TrainingPosition(int Epoch, int Epochs, long Step, long TotalSteps)
{
    /// <summary>Steps in an epoch.</summary>
    public long StepsPerEpoch => TotalSteps / Epochs;

    /// <summary>The share of the run that lies before this step, from 0 in the first to nearly 1 in the last.</summary>
    public double Progress => (double)Step / TotalSteps;
}
