using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// The ideal low-pass filter of PixMIM (Liu et al. 2023): what of an image varies slowly, in pixels as they are before normalisation. It lets
/// through the frequencies within a circle around the middle of the spectrum, as open-mmlab/mmselfsup does: for an even side that middle lies half
/// a step beside the zero frequency, so that the filtered image is complex, and its modulus is taken.
/// </summary>
internal sealed class LowPassFilter : IDisposable
{
    private readonly Tensor _passes;
    private readonly Tensor _mean;
    private readonly Tensor _deviation;

    /// <param name="preprocessing">Size of the images, mean and deviation they are normalised by.</param>
    /// <param name="radius">Radius of the circle as a share of the shorter side, positive.</param>
    /// <param name="device">Where the images are.</param>
    public LowPassFilter(ImagePreprocessing preprocessing, double radius, Device device)
    {
        using DisposeScope scope = NewDisposeScope();
        (int height, int width, long channels) = (preprocessing.Height, preprocessing.Width, preprocessing.Channels);
        float[] circle = Array.ConvertAll(Circle(height, width, radius), passes => passes ? 1f : 0f);
        // The spectrum stays in the order that the transform gives, zero first, and the circle is brought to that order once.
        _passes = fft.ifftshift(tensor(circle, [height, width]), [0, 1]).to(device).DetachFromDisposeScope();
        _mean = tensor(preprocessing.Mean.ToArray(), [1, channels, 1, 1], device: device).DetachFromDisposeScope();
        _deviation = tensor(preprocessing.StandardDeviation.ToArray(), [1, channels, 1, 1], device: device).DetachFromDisposeScope();
    }

    /// <summary>Which frequencies pass, row by row, the middle of the spectrum in the middle.</summary>
    /// <param name="height">Height of the images in pixels.</param>
    /// <param name="width">Width of the images in pixels.</param>
    /// <param name="radius">Radius of the circle as a share of the shorter side.</param>
    /// <returns><c>[height * width]</c>.</returns>
    public static bool[] Circle(int height, int width, double radius)
    {
        double limit = radius * Math.Min(height, width);
        limit *= limit * (1 + 1e-9);   // a radius of 3 pixels is given as 3 / 15, and its square must not come out below 9
        var passes = new bool[height * width];
        for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
        {
            double down = y - (height - 1) / 2.0, right = x - (width - 1) / 2.0;
            passes[y * width + x] = down * down + right * right <= limit;
        }
        return passes;
    }

    /// <summary>Filters images.</summary>
    /// <param name="images">Normalised images, <c>[batch, channels, height, width]</c>, float32.</param>
    /// <returns>Images of the same shape, normalised again, without a graph.</returns>
    public Tensor Apply(Tensor images)
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor spectrum = fft.fft2(images.mul(_deviation).add_(_mean)).mul_(_passes);
        return fft.ifft2(spectrum).abs().sub_(_mean).div_(_deviation).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _passes.Dispose();
        _mean.Dispose();
        _deviation.Dispose();
    }
}
