using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// The pixel loss of PixMIM (Liu et al. 2023): that of MAE, but what is to be predicted is the image without its high frequencies. The encoder sees
/// the image as it is. The paper goes with a gentler crop, <c>Augmentation.RandomCrop().Then(Augmentation.HorizontalFlip())</c>, see
/// <see cref="Recipes.PixMimPretrain"/>.
/// </summary>
/// <param name="Radius">
/// Radius of the circle of frequencies that pass, as a share of the image's shorter side; the paper's is 40 at 224 pixels.
/// </param>
/// <param name="NormalizePatches">Whether each filtered patch is normalised by its own mean and unbiased variance (epsilon 1e-6).</param>
/// <param name="HiddenOnly">Whether only hidden patches count.</param>
public sealed record LowPassPixelObjective(double Radius, bool NormalizePatches, bool HiddenOnly) : Objective
{
    /// <summary>The radius of the paper: 40 pixels at 224.</summary>
    public const double PublishedRadius = 40.0 / 224;

    /// <inheritdoc/>
    public override PixelObjective PixelTarget => Pixels;

    private PixelObjective Pixels => Pixel(NormalizePatches, HiddenOnly);

    /// <inheritdoc/>
    public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) =>
        new Run(Pixels, model, new LowPassFilter(options.Preprocessing, Radius, device));

    /// <summary>Pixels of a prediction: a normalised patch gets mean and deviation of the true, unfiltered one.</summary>
    /// <param name="reconstruction">What the model made of the images.</param>
    /// <returns><c>[batch, patches, patch * patch * channels]</c> in the units of the input images.</returns>
    public override Tensor ToPixels(Reconstruction reconstruction) => Pixels.ToPixels(reconstruction);

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Faults(MaePretrainOptions options)
    {
        (int height, int width) = (options.Encoder.ImageHeight, options.Encoder.ImageWidth);
        if (!(Radius > 0) || !double.IsFinite(Radius))
            yield return $"Objective.Radius is {Radius}: expected a positive share of the image's shorter side, PixMIM's is 40/224.";
        else if (!LowPassFilter.Circle(height, width, Radius).Contains(true))
            yield return $"Objective.Radius is {Radius}, which lets nothing of {height}x{width} pixels through: expected a larger share.";
    }

    private sealed class Run(PixelObjective objective, MaskedAutoencoder model, LowPassFilter filter) : ObjectiveRun
    {
        public override bool IsMeanOverImages => true;

        public override Tensor Loss(PretrainBatch batch)
        {
            Tensor target = Patches.FromImages(filter.Apply(batch.Images), model.Config.PatchSize);
            return objective.HiddenOnly
                ? objective.LossOfHidden(model.PredictHidden(batch.Images, batch.Mask).Prediction, target, batch.Mask)
                : objective.Loss(model.forward(batch.Images, batch.Mask) with { Patches = target });
        }

        public override void Dispose()
        {
            filter.Dispose();
            base.Dispose();
        }
    }
}
