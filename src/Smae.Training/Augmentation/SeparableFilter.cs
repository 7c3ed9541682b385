using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Linear filters along rows and columns as two batched matrix products, each image with weights of its own.</summary>
internal static class SeparableFilter
{
    private const int BlurReach = 4;   // deviations: what lies further off is 0.006% of a Gaussian

    /// <param name="images"><c>[batch, channels, height, width]</c>.</param>
    /// <param name="vertical"><c>[batch, out, height]</c>: what each row in makes of each row out.</param>
    /// <param name="horizontal"><c>[batch, out, width]</c>: the same of columns.</param>
    public static Tensor Apply(Tensor images, Tensor vertical, Tensor horizontal)
    {
        (long batch, long channels, long height) = (images.size(0), images.size(1), images.size(2));
        (long outHeight, long outWidth) = (vertical.size(1), horizontal.size(1));
        Tensor rows = images.reshape(batch, channels * height, -1).bmm(horizontal.transpose(1, 2));
        Tensor columns = rows.reshape(batch, channels, height, outWidth).transpose(1, 2).reshape(batch, height, channels * outWidth);
        return vertical.bmm(columns).reshape(batch, outHeight, channels, outWidth).transpose(1, 2);
    }

    /// <summary>
    /// Weights that resize a stretch of each image, as Pillow and PyTorch (antialias) do: the filter knows no pixel outside the stretch, it is wider
    /// where the stretch is longer than what it becomes, and its weights sum to 1.
    /// </summary>
    /// <param name="starts">First pixel of each image's stretch.</param>
    /// <param name="lengths">Pixels in it.</param>
    /// <param name="side">Pixels of the side.</param>
    /// <param name="newSide">Pixels that each stretch becomes.</param>
    /// <param name="interpolation">The filter.</param>
    /// <param name="device">Where the weights shall be.</param>
    /// <returns><c>[batch, newSide, side]</c>.</returns>
    public static Tensor ResizeWeights(float[] starts, float[] lengths, long side, long newSide, Interpolation interpolation, Device device)
    {
        long batch = starts.Length;
        Tensor start = tensor(starts, [batch, 1, 1], device: device), length = tensor(lengths, [batch, 1, 1], device: device);
        Tensor pixel = arange(side, ScalarType.Float32, device), newPixel = arange(newSide, ScalarType.Float32, device);
        Tensor center = (newPixel.reshape(1, newSide, 1) + 0.5).mul(length / newSide), from = pixel.reshape(1, 1, side) - start;
        Tensor distance = (from + 0.5 - center).abs_();
        if (lengths.Any(l => l > newSide)) distance.div_((length / newSide).clamp_min_(1));
        Tensor inside = from.ge(0).logical_and_(from.lt(length)).to_type(ScalarType.Float32);
        Tensor weights = (interpolation == Interpolation.Bilinear ? (1 - distance).clamp_min(0) : Cubic(distance)).mul_(inside);
        return weights.div_(weights.sum(2, keepdim: true));
    }

    /// <summary>Weights of a Gaussian blur that repeats the edge pixels.</summary>
    /// <param name="deviation">Of each image's Gaussian, in pixels, above 0: <c>[batch, 1, 1]</c>.</param>
    /// <param name="maxDeviation">None of them is larger.</param>
    /// <param name="side">Pixels of the side.</param>
    /// <returns><c>[batch, side, side]</c>.</returns>
    public static Tensor BlurWeights(Tensor deviation, double maxDeviation, long side)
    {
        int reach = (int)Math.Ceiling(BlurReach * maxDeviation);
        Tensor from = arange(-reach, side + reach, ScalarType.Float32, deviation.device).reshape(1, 1, -1);
        Tensor to = arange(side, ScalarType.Float32, deviation.device).reshape(1, side, 1);
        Tensor weights = (from - to).div(deviation).square().mul_(-0.5).exp_();
        weights = weights / weights.sum(2, keepdim: true);
        Tensor within = weights.narrow(2, reach, side).clone();
        within.narrow(2, 0, 1).add_(weights.narrow(2, 0, reach).sum(2, keepdim: true));
        within.narrow(2, side - 1, 1).add_(weights.narrow(2, reach + side, reach).sum(2, keepdim: true));
        return within;
    }

    /// <summary>The cubic convolution kernel with a = -0.5 (Keys 1981) at distances of 0 and more.</summary>
    private static Tensor Cubic(Tensor distance)
    {
        Tensor near = distance.mul(1.5).sub_(2.5).mul_(distance).mul_(distance).add_(1);
        Tensor far = distance.mul(-0.5).add_(2.5).mul_(distance).sub_(4).mul_(distance).add_(2);
        return where(distance.lt(1), near, far.mul_(distance.lt(2).to_type(ScalarType.Float32)));
    }
}
