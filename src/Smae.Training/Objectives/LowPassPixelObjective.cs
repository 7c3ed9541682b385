using System.ComponentModel.DataAnnotations;

namespace Smae.Training;

/// <summary>
/// The pixel loss of PixMIM (Liu et al. 2023): that of MAE, but what is to be predicted is the image without its high frequencies. The encoder sees the image
/// as it is. The paper goes with a gentler crop, <c>Augmentation.RandomCrop().Then(Augmentation.HorizontalFlip())</c>, see
/// <see cref="Recipes.PixMimPretrain"/>.
/// </summary>
/// <param name="Radius">Radius of the circle of frequencies that pass, as a share of the image's shorter side; the paper's is 40 at 224 pixels.</param>
/// <param name="NormalizePatches">Whether each filtered patch is normalised by its own mean and unbiased variance (epsilon 1e-6).</param>
/// <param name="HiddenOnly">Whether only hidden patches count.</param>
public sealed record LowPassPixelObjective(
    [property: Range(0, double.MaxValue, MinimumIsExclusive = true)] double Radius, bool NormalizePatches, bool HiddenOnly) : Objective
{
    /// <summary>The radius of the paper: 40 pixels at 224.</summary>
    public const double PublishedRadius = 40.0 / 224;

    /// <summary>The loss without the filter: a prediction that was normalised gets mean and deviation of the true, unfiltered patch.</summary>
    public override PixelObjective PixelTarget => Pixel(NormalizePatches, HiddenOnly);

    /// <inheritdoc/>
    public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) =>
        new Run(PixelTarget, model, new LowPassFilter(options.Preprocessing, Radius, device));

    /// <inheritdoc/>
    protected internal override IEnumerable<string> Faults(MaePretrainOptions options)
    {
        (int height, int width) = (options.Encoder.ImageHeight, options.Encoder.ImageWidth);
        bool passes = !(Radius > 0) || LowPassFilter.Circle(height, width, Radius).Contains(true);
        return Expect(Radius, passes, $"a larger share, for this one lets nothing of {height}x{width} pixels through");
    }

    private sealed class Run(PixelObjective pixels, MaskedAutoencoder model, LowPassFilter filter) : ObjectiveRun
    {
        public override bool IsMeanOverImages => true;

        public override Tensor Loss(PretrainBatch batch)
        {
            Tensor target = Patches.FromImages(filter.Apply(batch.Images), model.Config.PatchSize);
            return pixels.HiddenOnly
                ? pixels.LossOfHidden(model.PredictHidden(batch.Images, batch.Mask).Prediction, target, batch.Mask)
                : pixels.Loss(model.forward(batch.Images, batch.Mask) with { Patches = target });
        }

        public override void Dispose()
        {
            filter.Dispose();
            base.Dispose();
        }
    }
}

/// <summary>
/// The ideal low-pass filter of PixMIM: what of an image varies slowly, in pixels as they are before normalisation. It lets through the frequencies within a
/// circle around the middle of the spectrum, as open-mmlab/mmselfsup does: for an even side that middle lies half a step beside the zero frequency, so that the
/// filtered image is complex, and its modulus is taken.
/// </summary>
internal sealed class LowPassFilter : IDisposable
{
    private readonly Tensor _passes, _mean, _deviation;

    /// <param name="radius">Radius of the circle as a share of the shorter side, positive.</param>
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

    /// <summary>Which frequencies pass, <c>[height * width]</c> row by row, the middle of the spectrum in the middle.</summary>
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

    /// <summary>Filters normalised images, <c>[batch, channels, height, width]</c>, float32; the result is normalised again and has no graph.</summary>
    public Tensor Apply(Tensor images)
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor spectrum = fft.fft2(images.mul(_deviation).AddInPlace(_mean)).mul_(_passes);
        return fft.ifft2(spectrum).abs().sub_(_mean).div_(_deviation).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (Tensor part in (Tensor[])[_passes, _mean, _deviation]) part.Dispose();
    }
}
