namespace Smae.Training;

/// <summary>What happens when an image cannot be read: a missing or truncated file, or one that is no image.</summary>
public enum BrokenImagePolicy
{
    /// <summary>It is reported and counted, and the work goes on without it.</summary>
    Skip,

    /// <summary>The work stops with an error that names it.</summary>
    Fail,
}
