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

    /// <summary>One line for people.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"epoch {Epoch}/{Epochs}  step {Step}/{TotalSteps}  loss {Loss:F4}  lr {LearningRate:G3}  {ImagesPerSecond:F0} images/s  {Remaining:hh\\:mm\\:ss} left");
}
