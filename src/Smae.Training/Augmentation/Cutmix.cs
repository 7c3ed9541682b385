using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// CutMix (Yun et al. 2019): a box of each image is taken from another. Of lambda ~ Beta(alpha, alpha) the box has sqrt(1 - lambda) of the image's
/// height and width and its centre anywhere; it is cut off at the edges, and the labels are mixed by the area that is left of it, as in timm.
/// </summary>
/// <param name="Alpha">Of the beta distribution, above 0. MAE fine-tunes with 1.</param>
/// <exception cref="ArgumentOutOfRangeException"><paramref name="Alpha"/> is not positive.</exception>
public sealed record Cutmix(double Alpha) : LabelMixing
{
    /// <summary>Of the beta distribution, above 0.</summary>
    public double Alpha { get; } = Positive(Alpha, nameof(Alpha));

    /// <summary>The box for a lambda.</summary>
    internal static CropBox Box(double lambda, int height, int width, RandomSequence random)
    {
        double side = Math.Sqrt(1 - lambda);
        int halfHeight = (int)(height * side) / 2, halfWidth = (int)(width * side) / 2, y = random.Below(height), x = random.Below(width);
        int top = Math.Max(y - halfHeight, 0), bottom = Math.Min(y + halfHeight, height);
        int left = Math.Max(x - halfWidth, 0), right = Math.Min(x + halfWidth, width);
        return new(top, left, bottom - top, right - left);
    }

    internal override (Tensor Images, double Share) Mix(Tensor images, RandomSequence random)
    {
        (int height, int width) = ((int)images.size(2), (int)images.size(3));
        CropBox box = Box(random.Beta(Alpha), height, width, random);
        if (box.Height == 0 || box.Width == 0) return (images, 1);
        Tensor mixed = images.clone();
        Within(mixed, box).copy_(Within(images, box).flip(0));
        return (mixed, 1 - (double)box.Height * box.Width / ((double)height * width));
    }

    private static Tensor Within(Tensor images, CropBox box) => images.narrow(2, box.Top, box.Height).narrow(3, box.Left, box.Width);
}
