namespace Smae.Training;

/// <summary>Where a step stands in its run.</summary>
/// <param name="Epoch">The epoch, counted from 0.</param>
/// <param name="Epochs">Epochs in the run.</param>
/// <param name="Step">The step within the run, counted from 0.</param>
/// <param name="TotalSteps">Steps in the run.</param>
public readonly record struct TrainingPosition(int Epoch, int Epochs, long Step, long TotalSteps)
{
    /// <summary>Steps in an epoch.</summary>
    public long StepsPerEpoch => TotalSteps / Epochs;

    /// <summary>The share of the run that lies before this step, from 0 in the first to nearly 1 in the last.</summary>
    public double Progress => (double)Step / TotalSteps;
}
