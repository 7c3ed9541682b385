using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// Mean squared error between predicted and true patches (He et al. 2022), averaged over a patch first, then over the hidden patches or all of them.
/// </summary>
/// <param name="NormalizePatches">
/// Whether each target patch is normalised by its own mean and unbiased variance: better features, duller pictures.
/// </param>
/// <param name="HiddenOnly">Whether only hidden patches count.</param>
public sealed record PixelObjective(bool NormalizePatches, bool HiddenOnly) : Objective
{
    /// <summary>Added to the variance of a patch where it is normalised by it. Default 1e-6.</summary>
    public double Epsilon { get; init; } = 1e-6;

    /// <inheritdoc/>
    public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) => new Run(this, model);

    /// <summary>The loss of a reconstruction.</summary>
    /// <param name="reconstruction">What the model made of the images.</param>
    /// <returns>A scalar, float32, with its graph.</returns>
    public Tensor Loss(Reconstruction reconstruction)
    {
        Tensor target = NormalizePatches ? Normalized(reconstruction.Patches) : reconstruction.Patches;
        Tensor loss = (reconstruction.Prediction - target).square().mean([-1]);
        if (!HiddenOnly) return loss.mean();
        Tensor hidden = reconstruction.Mask.Hidden().to(loss.device);
        return loss.mul(hidden).sum() / (double)(reconstruction.Mask.HiddenCount * reconstruction.Mask.BatchSize);
    }

    /// <summary>Pixels of a prediction, whatever the target was: a normalised patch gets the mean and deviation of the true one back.</summary>
    /// <param name="reconstruction">What the model made of the images.</param>
    /// <returns><c>[batch, patches, patch * patch * channels]</c> in the units of the input images.</returns>
    public override Tensor ToPixels(Reconstruction reconstruction)
    {
        if (!NormalizePatches) return reconstruction.Prediction;
        (Tensor mean, Tensor deviation) = Statistics(reconstruction.Patches);
        return reconstruction.Prediction * deviation + mean;
    }

    private Tensor Normalized(Tensor patches)
    {
        (Tensor mean, Tensor deviation) = Statistics(patches);
        return (patches - mean) / deviation;
    }

    private (Tensor Mean, Tensor Deviation) Statistics(Tensor patches) =>
        (patches.mean([-1], keepdim: true), (patches.var(-1, unbiased: true, keepdim: true) + Epsilon).sqrt());

    private sealed class Run(PixelObjective objective, MaskedAutoencoder model) : ObjectiveRun
    {
        public override bool IsMeanOverImages => true;

        public override Tensor Loss(PretrainBatch batch) => objective.Loss(model.forward(batch.Images, batch.Mask));
    }
}
