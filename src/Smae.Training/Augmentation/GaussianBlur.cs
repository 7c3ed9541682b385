using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Blurs images by a Gaussian of random width.</summary>
internal sealed record GaussianBlur : Augmentation
{
    public GaussianBlur(double minDeviation, double maxDeviation)
    {
        CheckRange(minDeviation, maxDeviation, 100);
        (MinDeviation, MaxDeviation) = (minDeviation, maxDeviation);
    }

    public double MinDeviation { get; }

    public double MaxDeviation { get; }

    /// <param name="images">The images.</param>
    /// <param name="deviations">Of the Gaussian of each image, in pixels: <c>[batch, 1]</c>.</param>
    /// <param name="maxDeviation">None of them is larger.</param>
    public static Tensor Of(Tensor images, Tensor deviations, double maxDeviation)
    {
        Tensor deviation = deviations.reshape(-1, 1, 1);
        Tensor vertical = SeparableFilter.BlurWeights(deviation, maxDeviation, images.size(2));
        Tensor horizontal = SeparableFilter.BlurWeights(deviation, maxDeviation, images.size(3));
        return SeparableFilter.Apply(images, vertical, horizontal);
    }

    private protected override Tensor Transform(Tensor images, RandomSequence random)
    {
        var deviations = new float[images.size(0)];
        for (int i = 0; i < deviations.Length; i++) deviations[i] = (float)random.Uniform(MinDeviation, MaxDeviation);
        return Of(images, tensor(deviations, [deviations.Length, 1], device: images.device), MaxDeviation);
    }
}
