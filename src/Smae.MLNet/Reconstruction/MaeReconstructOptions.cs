using Smae.Training;

namespace Smae.MLNet;

/// <summary>What the pictures of <c>MaeReconstruct</c> show.</summary>
public sealed record MaeReconstructOptions
{
    /// <summary>What a picture shows. Default <see cref="ReconstructionView.Reconstruction"/>.</summary>
    public ReconstructionView View { get; init; } = ReconstructionView.Reconstruction;

    /// <summary>Which patches are hidden. Default null: as in pretraining, and random, 75%, for an autoencoder without its pretraining.</summary>
    public Masking? Masking { get; init; }

    /// <summary>
    /// What the autoencoder was pretrained for, which says what its predictions are. Default null: what it was, and
    /// <see cref="Objective.Pixel"/> for an autoencoder without its pretraining.
    /// </summary>
    public Objective? Objective { get; init; }

    /// <summary>
    /// What is done to an image first. Default null: as in pretraining, and ImageNet's statistics for an autoencoder without its pretraining.
    /// </summary>
    public ImagePreprocessing? Preprocessing { get; init; }

    /// <summary>
    /// Seed of the masks. Under one seed an image is masked the same way each time, wherever it stands: 64 masks are drawn, and its pixels say which of them
    /// it gets. Default null: it comes from the <c>MLContext</c>.
    /// </summary>
    public int? Seed { get; init; }

    /// <summary>
    /// What happens with images that cannot be read. Default <see cref="BrokenImagePolicy.Skip"/>: the picture is null, with a warning.
    /// </summary>
    public BrokenImagePolicy BrokenImages { get; init; } = BrokenImagePolicy.Skip;

    internal IEnumerable<string> Faults(MaskedAutoencoder autoencoder)
    {
        VisionTransformerConfig encoder = autoencoder.Config;
        if (autoencoder.PictureFault is { } unfit)
            yield return unfit;
        if (!Enum.IsDefined(View))
            yield return $"View is {View}: expected one of {string.Join(", ", Enum.GetNames<ReconstructionView>())}.";
        foreach (string fault in Preprocessing?.Faults() ?? [])
            yield return $"Preprocessing: {fault}";
        if (Preprocessing is { } p && (p.Height, p.Width, p.Channels) != (encoder.ImageHeight, encoder.ImageWidth, encoder.Channels))
        {
            yield return $"Preprocessing gives {p.Height}x{p.Width}x{p.Channels}: "
                + $"the autoencoder expects {encoder.ImageHeight}x{encoder.ImageWidth}x{encoder.Channels}.";
        }
        int visible = Masking is null ? 1 : (int)(encoder.PatchCount * (1 - Masking.Ratio));
        if (visible < 1)
            yield return $"Masking hides {Masking!.Ratio:P0} of {encoder.PatchCount} patches, which leaves none visible: expected at least one.";
    }
}
