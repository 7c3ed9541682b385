using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Makes an image grey, or inverts what is brighter than the middle, or blurs it: the choice of 3-Augment (DeiT III).</summary>
internal sealed record ThreeAugment : Augmentation
{
    private const int Choices = 3;
    private const double MinDeviation = 0.1, MaxDeviation = 2;
    private const double Middle = 128.0 / 255;

    /// <summary>Does one of the three: 0 grey, 1 solarize, 2 blur.</summary>
    /// <param name="choice">Which.</param>
    /// <param name="images">The images.</param>
    /// <param name="deviations">Of the blur, in pixels: <c>[batch, 1]</c>.</param>
    internal static Tensor Change(int choice, Tensor images, Tensor deviations) => choice switch
    {
        0 => Smae.Training.Grayscale.Of(images),
        1 => Smae.Training.Solarize.Of(images, Middle),
        _ => Smae.Training.GaussianBlur.Of(images, deviations, MaxDeviation),
    };

    private protected override Tensor Transform(Tensor images, RandomSequence random)
    {
        ColorOperations.CheckChannels(images);
        var choices = new int[images.size(0)];
        var deviations = new float[choices.Length];
        for (int i = 0; i < choices.Length; i++)
            (choices[i], deviations[i]) = (random.Below(Choices), (float)random.Uniform(MinDeviation, MaxDeviation));
        return ImageGroups.Apply(images, choices, deviations, Change);
    }
}
