namespace Smae.Training;

/// <summary>One step of a run.</summary>
/// <param name="Epoch">The epoch, counted from 0.</param>
/// <param name="Index">The step within the run, counted from 0.</param>
/// <param name="Images">The images of the batch, as indices.</param>
internal readonly record struct TrainingStep(int Epoch, long Index, ReadOnlyMemory<long> Images);
