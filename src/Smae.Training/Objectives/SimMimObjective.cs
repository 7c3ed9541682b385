namespace Smae.Training;

/// <summary>
/// SimMIM (Xie et al. 2022): the encoder sees all patches, hidden ones as a learned mask token, and one linear layer predicts the pixels of the hidden ones: mean
/// absolute error over normalised pixels. It hides squares, <see cref="Masking.Squares"/>; <see cref="Recipes.SimMimPretrain"/> has the rest.
/// </summary>
/// <remarks>
/// The published ViT has biases of relative positions in place of positions, and a scale for each branch; the encoder is ours, with what its configuration says.
/// The mask token is saved with the autoencoder, not with the encoder.
/// </remarks>
public sealed record SimMimObjective : Objective
{
    internal SimMimObjective()
    {
    }

    /// <inheritdoc/>
    public override DecoderTarget Target => DecoderTarget.LinearPixels;

    /// <inheritdoc/>
    public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) => new Run(model);

    private sealed class Run(MaskedAutoencoder model) : ObjectiveRun
    {
        public override bool IsMeanOverImages => true;

        public override bool EncodesHidden => true;

        public override Tensor Loss(PretrainBatch batch)
        {
            (Tensor patches, Tensor prediction) = model.PredictHidden(batch.Images, batch.Mask);
            return (prediction - Patches.Pick(patches, batch.Mask.HiddenIndices())).abs().mean();
        }
    }
}
