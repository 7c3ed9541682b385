using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Inverts what is as bright as a threshold or brighter.</summary>
internal sealed record Solarize(double Threshold) : Augmentation
{
    private const double HalfByte = 0.5 / 255;   // so that rounding decides nothing where pixels are bytes

    public double Threshold { get; } = Within(Threshold, 0, 1);

    /// <param name="images">The images.</param>
    /// <param name="threshold">The least value to be inverted.</param>
    public static Tensor Of(Tensor images, double threshold) => where(images.gt(threshold - HalfByte), 1 - images, images);

    private protected override Tensor Transform(Tensor images, RandomSequence random) => Of(images, Threshold);
}
