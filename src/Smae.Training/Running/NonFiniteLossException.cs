using System.Globalization;

namespace Smae.Training;

/// <summary>A run stopped because its loss became infinite or not a number.</summary>
/// <param name="loss">The loss.</param>
/// <param name="epoch">The epoch, counted from 1.</param>
/// <param name="step">The step, counted from 1.</param>
/// <param name="learningRate">The learning rate of that step.</param>
public sealed class NonFiniteLossException(double loss, int epoch, long step, double learningRate) : Exception(
    string.Create(CultureInfo.InvariantCulture, $"The loss became {loss} in epoch {epoch}, step {step}, at a learning rate of {learningRate:G3}. ")
    + "Lower LearningRate, lengthen WarmupEpochs, or train in Precision.Float32.")
{
    /// <summary>The epoch, counted from 1.</summary>
    public int Epoch { get; } = epoch;

    /// <summary>The step, counted from 1.</summary>
    public long Step { get; } = step;
}
