using System.ComponentModel.DataAnnotations;

namespace Smae.Training;

/// <summary>
/// The pixel loss of MAE (He et al. 2022): mean squared error between predicted and true patches, averaged over a patch first, then over the hidden patches or
/// all of them.
/// </summary>
/// <param name="NormalizePatches">Whether each target patch is normalised by its own mean and unbiased variance: better features, duller pictures.</param>
/// <param name="HiddenOnly">Whether only hidden patches count.</param>
public sealed record PixelObjective(bool NormalizePatches, bool HiddenOnly) : Objective
{
    /// <summary>Added to the variance of a patch where it is normalised by it. Default 1e-6.</summary>
    [Range(0, double.MaxValue)] public double Epsilon { get; init; } = 1e-6;

    /// <inheritdoc/>
    public override PixelObjective PixelTarget => this;

    /// <inheritdoc/>
    public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) => new Run(this, model);

    /// <summary>The loss of a reconstruction.</summary>
    /// <returns>A scalar, float32, with its graph.</returns>
    /// <exception cref="ArgumentException">The mask is of another size than the patches.</exception>
    public Tensor Loss(Reconstruction reconstruction)
    {
        (Tensor patches, _, Tensor prediction, PatchMask mask) = reconstruction;
        mask.CheckSize(patches.size(0), patches.size(1));
        Tensor loss = (prediction - Targets(patches)).Squared().mean([-1]);
        return HiddenOnly ? loss.mul(mask.Hidden().to(loss.device)).sum().DividedBy((double)(mask.HiddenCount * mask.BatchSize)) : loss.mean();
    }

    /// <summary>The same loss of hidden patches alone; every image hides as many.</summary>
    /// <param name="prediction">Of the hidden patches in the order of the mask, <c>[batch, hidden, patch * patch * channels]</c>.</param>
    /// <param name="patches">All true patches.</param>
    /// <param name="mask">Which were hidden.</param>
    internal Tensor LossOfHidden(Tensor prediction, Tensor patches, PatchMask mask)
    {
        mask.CheckSize(patches.size(0), patches.size(1));
        return (prediction - Targets(Patches.Pick(patches, mask.HiddenIndices()))).Squared().mean();
    }

    /// <summary>Pixels of a prediction, whatever the target was: a normalised patch gets the mean and deviation of the true one back.</summary>
    /// <returns><c>[batch, patches, patch * patch * channels]</c> in the units of the input images.</returns>
    public override Tensor ToPixels(Reconstruction reconstruction)
    {
        if (!NormalizePatches) return reconstruction.Prediction;
        (Tensor mean, Tensor deviation) = Statistics(reconstruction.Patches);
        return (reconstruction.Prediction * deviation).Plus(mean);
    }

    /// <summary>What is to be predicted for some patches.</summary>
    private Tensor Targets(Tensor patches)
    {
        if (!NormalizePatches) return patches;
        (Tensor mean, Tensor deviation) = Statistics(patches);
        return (patches - mean) / deviation;
    }

    private (Tensor Mean, Tensor Deviation) Statistics(Tensor patches)
    {
        Tensor mean = patches.mean([-1], keepdim: true);
        // libtorch's own unbiased variance takes several times as long over rows as short as these.
        Tensor variance = (patches - mean).Squared().sum(-1, keepdim: true).DividedBy(patches.size(-1) - 1.0);
        return (mean, variance.Plus(Epsilon).sqrt());
    }

    private sealed class Run(PixelObjective objective, MaskedAutoencoder model) : ObjectiveRun
    {
        public override bool IsMeanOverImages => true;

        public override Tensor Loss(PretrainBatch batch)
        {
            if (!objective.HiddenOnly) return objective.Loss(model.forward(batch.Images, batch.Mask));
            (Tensor patches, Tensor prediction) = model.PredictHidden(batch.Images, batch.Mask);
            return objective.LossOfHidden(prediction, patches, batch.Mask);
        }
    }
}
