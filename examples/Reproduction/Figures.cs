namespace Reproduction;

/// <summary>What was measured of one method with one seed; null where it has not been yet.</summary>
internal sealed record Figures
{
    public required string Method { get; init; }

    public required int Seed { get; init; }

    /// <summary>Images pretrained on a second.</summary>
    public double? ImagesPerSecond { get; init; }

    /// <summary>The most memory that the process held while it pretrained, in MiB.</summary>
    public double? PeakMegabytes { get; init; }

    /// <summary>Top-1 on Tiny ImageNet of the 20 nearest training images' vote, 0 to 1.</summary>
    public double? Neighbors { get; init; }

    /// <summary>Top-1 on Tiny ImageNet of a linear classifier on the frozen encoder, 0 to 1.</summary>
    public double? LinearProbe { get; init; }

    /// <summary>Top-1 on Tiny ImageNet after training end to end, 0 to 1.</summary>
    public double? TinyImageNet { get; init; }

    /// <summary>Top-1 on CUB after training end to end, 0 to 1.</summary>
    public double? Cub { get; init; }

    /// <summary>Time spent in training steps so far: pretraining, probe and both fine-tunings.</summary>
    public double Seconds { get; init; }
}
