namespace Smae.Training;

/// <summary>Where a run stands between two steps: all that is not a tensor. Random numbers need no state, they follow from seed and step.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="LossSum">Sum of the losses of the epoch under way.</param>
/// <param name="History">The epochs that are over.</param>
internal sealed record RunPosition(long Step, double LossSum, IReadOnlyList<EpochSummary> History)
{
    public static RunPosition Start { get; } = new(0, 0, []);
}
