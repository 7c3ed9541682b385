using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Mixup (Zhang et al. 2018): each image becomes lambda of itself and 1 - lambda of another, lambda ~ Beta(alpha, alpha).</summary>
/// <param name="Alpha">Of the beta distribution, above 0: small numbers mix little, 1 is uniform. MAE fine-tunes with 0.8.</param>
/// <exception cref="ArgumentOutOfRangeException"><paramref name="Alpha"/> is not positive.</exception>
public sealed record Mixup(double Alpha) : LabelMixing
{
    /// <summary>Of the beta distribution, above 0.</summary>
    public double Alpha { get; } = Positive(Alpha, nameof(Alpha));

    internal override (Tensor Images, double Share) Mix(Tensor images, RandomSequence random)
    {
        double share = random.Beta(Alpha);
        return (images.mul(share).add_(images.flip(0).mul_(1 - share)), share);
    }
}
