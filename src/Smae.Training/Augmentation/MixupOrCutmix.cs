using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>For each batch one of <see cref="Mixup"/> and <see cref="Cutmix"/>, as timm's Mixup with both: MAE fine-tunes with 0.8 and 1.</summary>
/// <param name="MixupAlpha">Of Mixup's beta distribution, above 0. Default 0.8.</param>
/// <param name="CutmixAlpha">Of Cutmix's beta distribution, above 0. Default 1.</param>
/// <param name="SwitchProbability">How often it is Cutmix, in [0, 1]. Default 0.5.</param>
/// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
public sealed record MixupOrCutmix(double MixupAlpha = 0.8, double CutmixAlpha = 1, double SwitchProbability = 0.5) : LabelMixing
{
    /// <summary>Of Mixup's beta distribution, above 0.</summary>
    public double MixupAlpha { get; } = Positive(MixupAlpha, nameof(MixupAlpha));

    /// <summary>Of Cutmix's beta distribution, above 0.</summary>
    public double CutmixAlpha { get; } = Positive(CutmixAlpha, nameof(CutmixAlpha));

    /// <summary>How often it is Cutmix, in [0, 1].</summary>
    public double SwitchProbability { get; } = Augmentation.Within(SwitchProbability, 0, 1);

    internal override (Tensor Images, double Share) Mix(Tensor images, RandomSequence random)
    {
        LabelMixing chosen = random.Chance(SwitchProbability) ? new Cutmix(CutmixAlpha) : new Mixup(MixupAlpha);
        return chosen.Mix(images, random);
    }
}
