namespace Smae.Training;

/// <summary>What pretraining gave. Whoever asked for it disposes <see cref="Model"/>; <see cref="Encoder"/> shares its weights.</summary>
public sealed class MaePretrainResult
{
    internal MaePretrainResult(
        MaskedAutoencoder model, ImageEncoder encoder, IReadOnlyList<EpochSummary> history, TimeSpan elapsed, double imagesPerSecond) =>
        (Model, Encoder, History, Elapsed, ImagesPerSecond) = (model, encoder, history, elapsed, imagesPerSecond);

    /// <summary>Encoder and decoder.</summary>
    public MaskedAutoencoder Model { get; }

    /// <summary>The encoder with its preprocessing, ready to embed images.</summary>
    public ImageEncoder Encoder { get; }

    /// <summary>Loss and speed of every epoch.</summary>
    public IReadOnlyList<EpochSummary> History { get; }

    /// <summary>Mean loss of the first epoch.</summary>
    public double FirstLoss => History[0].Loss;

    /// <summary>Mean loss of the last epoch.</summary>
    public double LastLoss => History[^1].Loss;

    /// <summary>Images trained on a second, over the steps since the run began or went on; 0 if none was left to do.</summary>
    public double ImagesPerSecond { get; }

    /// <summary>How long training took since it began or went on, decoding not included.</summary>
    public TimeSpan Elapsed { get; }
}
