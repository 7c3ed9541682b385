namespace Smae.Benchmarks;

/// <summary>What was measured of one side.</summary>
/// <param name="Name">The side, for people.</param>
/// <param name="Settings">What it did.</param>
/// <param name="Start">What it said of itself.</param>
/// <param name="Rounds">Its rounds, warm-up left out.</param>
/// <param name="PeakResidentBytes">The most memory that its process held; 0 where the system does not tell.</param>
internal sealed record SideResult(string Name, SideSettings Settings, SideStart Start, IReadOnlyList<SideRound> Rounds, long PeakResidentBytes)
{
    /// <summary>Seconds of a step: median, least and most of the rounds.</summary>
    public Spread StepSeconds => Spread.Of(Rounds.Select(round => round.Seconds / Settings.Steps));

    public double ImagesPerSecond => Settings.Batch / StepSeconds.Median;

    /// <summary>How many times as fast as another side this one is: the ratio of the medians.</summary>
    public double SpeedOver(SideResult other) => ImagesPerSecond / other.ImagesPerSecond;
}
