namespace Smae.Training;

/// <summary>One step of a run.</summary>
/// <param name="Epoch">The epoch, counted from 0.</param>
/// <param name="Index">The step within the run, counted from 0.</param>
/// <param name="Images">The images of the batch or of a part of it, as indices.</param>
/// <param name="Part">Which part of the batch, where gradients are accumulated over several.</param>
internal readonly record struct TrainingStep(int Epoch, long Index, ReadOnlyMemory<long> Images, int Part = 0)
{
    /// <summary>A number that no other part of any step has: where its random numbers are drawn.</summary>
    public long Place => RandomStream.Mix(Index, Part);
}
