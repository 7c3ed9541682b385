namespace Smae.Training;

/// <summary>
/// Where and how often a run saves itself, so that a run that was stopped, by whatever, can go on. What goes on is a run with the same images, options
/// and seed, so the seed must be set.
/// </summary>
public sealed record CheckpointOptions
{
    /// <summary>The folder of the checkpoints; it is made if it is not there. One folder serves one run.</summary>
    public required string Directory { get; init; }

    /// <summary>
    /// Whether to go on from the newest valid checkpoint of the same run in the folder; files that are torn or of another run are named in the log and passed
    /// over, and without any the run starts at its beginning. Default true.
    /// </summary>
    public bool Resume { get; init; } = true;

    /// <summary>Time between two checkpoints. One more is written at the end and when the run is cancelled. Default 5 minutes.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How many are kept; older ones are deleted. Default 3.</summary>
    public int Keep { get; init; } = 3;

    internal IEnumerable<string> Faults()
    {
        if (string.IsNullOrWhiteSpace(Directory)) yield return "Checkpoints.Directory is empty.";
        if (Interval < TimeSpan.Zero) yield return $"Checkpoints.Interval is {Interval}: expected a time that is not negative.";
        if (Keep < 1) yield return $"Checkpoints.Keep is {Keep}: expected at least 1.";
    }
}
