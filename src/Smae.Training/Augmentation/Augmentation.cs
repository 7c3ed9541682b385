using System.Runtime.CompilerServices;
using System.Text;

namespace Smae.Training;

/// <summary>
/// A random change to the images of a batch, each image by draws of its own. An augmentation is a value that names a method and its settings; it
/// keeps no state. Images are <c>[batch, channels, height, width]</c>, float32, 0 to 1, on any device, before they are normalised.
/// </summary>
public abstract record Augmentation
{
    private protected Augmentation() { }

    /// <summary>Several augmentations, one after the other; none leaves the images as they are.</summary>
    /// <exception cref="ArgumentException">One of them is null.</exception>
    public static Augmentation Sequence(params Augmentation[] steps) => new AugmentationSequence(steps);

    /// <summary>Mirrors images left to right (torchvision's RandomHorizontalFlip).</summary>
    /// <param name="probability">How many images of all. Default 0.5.</param>
    /// <exception cref="ArgumentOutOfRangeException">The probability is outside [0, 1].</exception>
    public static Augmentation HorizontalFlip(double probability = 0.5) => new HorizontalFlip(Within(probability, 0, 1));

    /// <summary>
    /// Cuts a box of random area, shape and place out of each image and resizes it to the size of the image (torchvision's RandomResizedCrop): the
    /// area is uniform, the logarithm of the aspect ratio too; after ten boxes that do not fit, the central one is taken.
    /// </summary>
    /// <param name="minScale">Least share of the image's area, in (0, 1]. Default 0.08; MAE pretrains with 0.2, SMAE fine-tunes with 0.6.</param>
    /// <param name="maxScale">Largest share of the area. Default 1.</param>
    /// <param name="minRatio">Least width over height. Default 3/4.</param>
    /// <param name="maxRatio">Largest width over height. Default 4/3.</param>
    /// <param name="interpolation">How pixels are interpolated. Default bicubic, as in MAE; the result is clamped to 0..1, as bytes are.</param>
    /// <exception cref="ArgumentOutOfRangeException">A range is empty, or not positive, or the scale above 1.</exception>
    public static Augmentation RandomResizedCrop(
        double minScale = 0.08, double maxScale = 1, double minRatio = 3.0 / 4, double maxRatio = 4.0 / 3,
        Interpolation interpolation = Interpolation.Bicubic) =>
        new RandomResizedCrop(Span(minScale, maxScale, 1), Span(minRatio, maxRatio, double.MaxValue), interpolation);

    /// <summary>
    /// Pads the images and cuts a box of their size out at a random place (torchvision's RandomCrop): the simple random crop of DeiT III and PixMIM.
    /// </summary>
    /// <param name="padding">Pixels added on each side. Default 4.</param>
    /// <param name="reflect">Whether the padding mirrors the image without repeating its edge; else it is 0. Default true.</param>
    /// <exception cref="ArgumentOutOfRangeException">The padding is negative.</exception>
    public static Augmentation RandomCrop(int padding = 4, bool reflect = true) =>
        new RandomCrop(Within(padding, 0, int.MaxValue / 4), reflect);

    /// <summary>
    /// RandAugment (Cubuk et al. 2020) as torchvision has it: to each image so many operations drawn from 14, all of one magnitude. Pixels are worked
    /// on as bytes, so the result is a multiple of 1/255; moved pixels are taken from the nearest and are 0 outside the image.
    /// </summary>
    /// <param name="numOps">Operations on an image. Default 2.</param>
    /// <param name="magnitude">Which of the bins, 0 (weakest) to <paramref name="bins"/> - 1. Default 9.</param>
    /// <param name="bins">Into how many steps the range of each operation is cut. Default 31.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer than 0 operations or 2 bins, or the magnitude is none of the bins.</exception>
    public static Augmentation RandAugment(int numOps = 2, int magnitude = 9, int bins = 31) =>
        new RandAugment(Within(numOps, 0, int.MaxValue), Within(magnitude, 0, Within(bins, 2, int.MaxValue) - 1), bins);

    /// <summary>
    /// RandAugment as timm has it with operations that grow with the magnitude, <c>rand-m9-mstd0.5-inc1</c> by default, with which MAE is fine-tuned:
    /// 15 operations, each done with a probability and with a magnitude of its own; moved pixels are interpolated (bicubic) and are ImageNet's mean
    /// outside the image. The arithmetic of colours is torchvision's on bytes, which differs from Pillow's by rounding.
    /// </summary>
    /// <param name="numOps">Operations drawn for an image. Default 2.</param>
    /// <param name="magnitude">Mean magnitude, 0 to 10. Default 9.</param>
    /// <param name="magnitudeStd">Standard deviation of the magnitude, which is then clamped to 0..10. Default 0.5.</param>
    /// <param name="probability">How often an operation drawn is done. Default 0.5.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    public static Augmentation RandAugmentIncreasing(int numOps = 2, double magnitude = 9, double magnitudeStd = 0.5, double probability = 0.5) =>
        new RandAugmentIncreasing(
            Within(numOps, 0, int.MaxValue), Within(magnitude, 0, Smae.Training.RandAugmentIncreasing.MaxMagnitude),
            Within(magnitudeStd, 0, double.MaxValue), Within(probability, 0, 1));

    /// <summary>
    /// 3-Augment of DeiT III (Touvron et al. 2022) without its crop: mirrors an image, then makes it grey, or inverts what is brighter than the
    /// middle, or blurs it (Gaussian, deviation 0.1 to 2 pixels), each with probability 1/3, then changes brightness, contrast and saturation.
    /// </summary>
    /// <param name="colorJitter">How much brightness, contrast and saturation change, as in <see cref="ColorJitter"/>. Default 0.3.</param>
    /// <param name="flipProbability">How many images are mirrored. Default 0.5.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative, or the probability above 1.</exception>
    public static Augmentation ThreeAugment(double colorJitter = 0.3, double flipProbability = 0.5) =>
        Sequence(HorizontalFlip(flipProbability), new ThreeAugment(), ColorJitter(colorJitter, colorJitter, colorJitter));

    /// <summary>
    /// Changes brightness, contrast, saturation and hue, in an order of its own for each image (torchvision's ColorJitter on float images). The first
    /// three are factors uniform in [max(0, 1 - x), 1 + x], hue is a turn uniform in [-x, x]; 0 leaves a property alone.
    /// </summary>
    /// <param name="brightness">Of the blend with black. Default 0.</param>
    /// <param name="contrast">Of the blend with the mean of the grey image. Default 0.</param>
    /// <param name="saturation">Of the blend with the grey image. Default 0.</param>
    /// <param name="hue">In turns of the colour circle, at most 0.5. Default 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative, or hue is above 0.5.</exception>
    public static Augmentation ColorJitter(double brightness = 0, double contrast = 0, double saturation = 0, double hue = 0) =>
        new ColorJitter(
            Within(brightness, 0, double.MaxValue), Within(contrast, 0, double.MaxValue), Within(saturation, 0, double.MaxValue), Within(hue, 0, 0.5));

    /// <summary>Makes images grey, in all their channels (torchvision's RandomGrayscale).</summary>
    /// <param name="probability">How many images of all. Default 0.1; DINO's is 0.2.</param>
    /// <exception cref="ArgumentOutOfRangeException">The probability is outside [0, 1].</exception>
    public static Augmentation Grayscale(double probability = 0.1) => RandomApply(new Grayscale(), probability);

    /// <summary>Inverts what is as bright as a threshold or brighter (torchvision's RandomSolarize).</summary>
    /// <param name="probability">How many images of all. Default 0.5; DINO's is 0.2, in its second view.</param>
    /// <param name="threshold">The least value to be inverted, in [0, 1]. Default 128/255, as in Pillow.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside [0, 1].</exception>
    public static Augmentation Solarize(double probability = 0.5, double threshold = 128.0 / 255) =>
        RandomApply(new Solarize(Within(threshold, 0, 1)), probability);

    /// <summary>
    /// Blurs images by a Gaussian that repeats the edge pixels, its deviation drawn uniformly (torchvision's GaussianBlur, without its cut-off).
    /// </summary>
    /// <param name="minDeviation">Least deviation in pixels. Default 0.1.</param>
    /// <param name="maxDeviation">Largest deviation in pixels, at most 100. Default 2.</param>
    /// <param name="probability">How many images of all. Default 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range is empty, or not positive, or the probability outside [0, 1].</exception>
    public static Augmentation GaussianBlur(double minDeviation = 0.1, double maxDeviation = 2, double probability = 1) =>
        RandomApply(new GaussianBlur(Span(minDeviation, maxDeviation, 100)), probability);

    /// <summary>Does an augmentation to some images, drawn one by one (torchvision's RandomApply, which draws for all at once).</summary>
    /// <param name="probability">How many images of all. Default 0.5.</param>
    /// <exception cref="ArgumentOutOfRangeException">The probability is outside [0, 1].</exception>
    public static Augmentation RandomApply(Augmentation augmentation, double probability = 0.5) =>
        new RandomApply(augmentation ?? throw new ArgumentNullException(nameof(augmentation)), Within(probability, 0, 1));

    /// <summary>Overwrites a box of random area, shape and place (Zhong et al. 2017, as torchvision's and timm's RandomErasing).</summary>
    /// <param name="probability">How many images of all. Default 0.25, as in MAE's fine-tuning.</param>
    /// <param name="minScale">Least share of the image's area, in (0, 1]. Default 0.02.</param>
    /// <param name="maxScale">Largest share of the area. Default 1/3.</param>
    /// <param name="minRatio">Least height over width. Default 0.3.</param>
    /// <param name="maxRatio">Largest height over width. Default 3.3.</param>
    /// <param name="fill">What the box is filled with. Default <see cref="ErasingFill.Noise"/>, as in MAE's fine-tuning.</param>
    /// <param name="preprocessing">Whose mean and deviation noise has; null is ImageNet's. Only for <see cref="ErasingFill.Noise"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A range is empty, or not positive, or the scale or the probability above 1.</exception>
    public static Augmentation RandomErasing(
        double probability = 0.25, double minScale = 0.02, double maxScale = 1.0 / 3, double minRatio = 0.3, double maxRatio = 3.3,
        ErasingFill fill = ErasingFill.Noise, ImagePreprocessing? preprocessing = null) =>
        new RandomErasing(
            Within(probability, 0, 1), Span(minScale, maxScale, 1), Span(minRatio, maxRatio, double.MaxValue), fill, preprocessing);

    /// <summary>This augmentation and then another.</summary>
    public Augmentation Then(Augmentation next) => Sequence(this, next);

    /// <summary>Augments a batch.</summary>
    /// <param name="images"><c>[batch, channels, height, width]</c>, float32, 0 to 1; left as it is.</param>
    /// <param name="seed">What all random numbers follow from: the same seed and images give the same result.</param>
    /// <returns>Images of the same shape on the same device: another tensor, which may share memory with <paramref name="images"/>.</returns>
    /// <exception cref="ArgumentException">
    /// The images are of another shape or type, or the augmentation has no meaning for so many channels or so few pixels.
    /// </exception>
    public Tensor Apply(Tensor images, long seed) => Apply(images, RandomSequence.OfImages(seed, 0, images is null ? 0 : (int)images.size(0)));

    /// <param name="random">What each image draws from: what becomes of it does not depend on the others.</param>
    internal Tensor Apply(Tensor images, RandomSequence[] random)
    {
        CheckImages(images);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
        Tensor result = Transform(images, random);
        return (ReferenceEquals(result, images) ? images.alias() : result).MoveToOuterDisposeScope();
    }

    /// <summary>Augments a batch; the result may be <paramref name="images"/> itself, which is never written to.</summary>
    private protected abstract Tensor Transform(Tensor images, RandomSequence[] random);

    internal static void CheckImages(Tensor images)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (images.dim() != 4 || images.dtype != ScalarType.Float32 || images.shape.Any(s => s < 1))
            throw new ArgumentException(
                $"The images are {images.dtype} of shape [{string.Join(", ", images.shape)}]: expected Float32 [batch, channels, height, width].",
                nameof(images));
    }

    internal static T Within<T>(T value, T from, T to, [CallerArgumentExpression(nameof(value))] string name = "") where T : IComparable<T> =>
        value.CompareTo(from) >= 0 && value.CompareTo(to) <= 0
            ? value : throw new ArgumentOutOfRangeException(name, value, FormattableString.Invariant($"{name} is {value}: expected a value from {from} to {to}."));

    private static (double Min, double Max) Span(
        double min, double max, double limit, [CallerArgumentExpression(nameof(min))] string minName = "", [CallerArgumentExpression(nameof(max))] string maxName = "")
    {
        if (!(min > 0)) throw new ArgumentOutOfRangeException(minName, min, FormattableString.Invariant($"{minName} is {min}: expected a positive number."));
        if (!(max >= min && max <= limit))
            throw new ArgumentOutOfRangeException(maxName, max, FormattableString.Invariant($"{maxName} is {max}: expected a number from {minName} ({min}) to {limit}."));
        return (min, max);
    }
}

internal sealed record AugmentationSequence : Augmentation
{
    private readonly Augmentation[] _steps;

    public AugmentationSequence(Augmentation[] steps)
    {
        if (Array.IndexOf(steps, null) >= 0) throw new ArgumentException("One of the augmentations is null.", nameof(steps));
        _steps = [.. steps.SelectMany(s => s is AugmentationSequence inner ? inner._steps : [s])];
    }

    public bool Equals(AugmentationSequence? other) => other is not null && _steps.AsSpan().SequenceEqual(other._steps);

    public override int GetHashCode() => _steps.Aggregate(0, HashCode.Combine);

    private protected override Tensor Transform(Tensor images, RandomSequence[] random)
    {
        Tensor current = images;
        foreach (Augmentation step in _steps)
        {
            Tensor next = step.Apply(current, random);
            if (!ReferenceEquals(current, images)) current.Dispose();
            current = next;
        }
        return current;
    }

    protected override bool PrintMembers(StringBuilder builder)
    {
        builder.AppendJoin(", ", _steps.AsEnumerable());
        return _steps.Length > 0;
    }
}

internal sealed record RandomApply(Augmentation Augmentation, double Probability) : Augmentation
{
    private protected override Tensor Transform(Tensor images, RandomSequence[] random)
    {
        long[] drawn = [.. Enumerable.Range(0, (int)images.size(0)).Where(i => random[i].Chance(Probability)).Select(i => (long)i)];
        if (drawn.Length == 0) return images;
        if (drawn.Length == images.size(0)) return Augmentation.Apply(images, random);
        Tensor places = tensor(drawn).Upload(images.device);
        return images.clone().index_copy_(0, places, Augmentation.Apply(images.index_select(0, places), Array.ConvertAll(drawn, i => random[i])));
    }
}
