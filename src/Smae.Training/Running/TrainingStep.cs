namespace Smae.Training;

/// <summary>One step of a run, or a part of one.</summary>
/// <param name="Position">Where it stands in the run.</param>
/// <param name="Images">The images of the batch or of a part of it, as indices.</param>
/// <param name="Part">Which part of the batch, where gradients are accumulated over several.</param>
internal readonly record struct TrainingStep(TrainingPosition Position, ReadOnlyMemory<long> Images, int Part = 0)
{
    /// <summary>A number that no other part of any step has: where its random numbers are drawn.</summary>
    public long Place => RandomStream.Mix(Position.Step, Part);
}
