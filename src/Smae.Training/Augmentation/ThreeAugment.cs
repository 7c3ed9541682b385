using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Makes an image grey, or inverts what is brighter than the middle, or blurs it: the choice of 3-Augment (DeiT III).</summary>
internal sealed record ThreeAugment : Augmentation
{
    private const int Choices = 3;
    private const double MinDeviation = 0.1, MaxDeviation = 2;
    private const double Middle = 127.5 / 255;   // bytes from 128 on are inverted

    /// <summary>Does one of the three: 0 grey, 1 solarize, 2 blur.</summary>
    /// <param name="choice">Which.</param>
    /// <param name="images">The images.</param>
    /// <param name="deviations">Of the blur, in pixels: <c>[batch, 1]</c>.</param>
    internal static Tensor Change(int choice, Tensor images, Tensor deviations)
    {
        if (choice == 0) return ColorOperations.Grey(images).expand_as(images).contiguous();
        if (choice == 1) return where(images.gt(Middle), 1 - images, images);
        Tensor deviation = deviations.reshape(-1, 1, 1);
        Tensor vertical = SeparableFilter.BlurWeights(deviation, images.size(2)), horizontal = SeparableFilter.BlurWeights(deviation, images.size(3));
        return SeparableFilter.Apply(images, vertical, horizontal);
    }

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
