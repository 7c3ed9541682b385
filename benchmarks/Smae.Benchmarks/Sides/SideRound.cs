namespace Smae.Benchmarks;

/// <summary>What a round of one side took.</summary>
internal sealed record SideRound(double Seconds)
{
    /// <summary>Smae only: bytes allocated on the managed heap.</summary>
    public long ManagedBytes { get; init; }

    /// <summary>Smae only: memory that the process holds after the round.</summary>
    public long ResidentBytes { get; init; }

    /// <summary>Smae only: tensors that are alive after the round.</summary>
    public long TensorsAlive { get; init; }

    /// <summary>Smae only: the most tensors that were alive at once so far.</summary>
    public long MostTensorsAlive { get; init; }

    /// <summary>Smae's training only: how often a loss was made. A step whose images are shared out among threads makes several.</summary>
    public long Losses { get; init; }

    /// <summary>Smae's training only, if sampled: how many threads were in managed code on average.</summary>
    public double ManagedThreads { get; init; }
}
