namespace Smae.Benchmarks;

/// <summary>What a round of one side took.</summary>
internal sealed record SideRound(double Seconds)
{
    /// <summary>Smae only: bytes allocated on the managed heap.</summary>
    public long ManagedBytes { get; init; }

    /// <summary>Smae only: the most memory that the process has held so far.</summary>
    public long PeakResidentBytes { get; init; }
}
