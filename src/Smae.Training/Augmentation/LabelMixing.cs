namespace Smae.Training;

/// <summary>
/// Mixes each image of a batch with the one as far from its end as it is from its start, and their labels alike, by one draw for all (timm's 'batch').
/// </summary>
public abstract record LabelMixing
{
    private protected LabelMixing() { }

    /// <summary>How many batches are mixed, in [0, 1]. Default 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The probability is outside [0, 1].</exception>
    public double Probability { get; init => field = Augmentation.Within(value, 0, 1, nameof(Probability)); } = 1;

    /// <summary>Mixes a batch.</summary>
    /// <param name="images"><c>[batch, channels, height, width]</c>, float32; left as they are.</param>
    /// <param name="labels">Probabilities of the classes, float32, <c>[batch, classes]</c>: see <see cref="LabelSmoothing.OneHot"/>.</param>
    /// <param name="seed">What all random numbers follow from.</param>
    /// <returns>Images and labels of the same shapes; tensors of their own, though they may share memory with what was given.</returns>
    /// <exception cref="ArgumentException">The images or labels are of another shape or type.</exception>
    public (Tensor Images, Tensor Labels) Apply(Tensor images, Tensor labels, long seed) => Apply(images, labels, images, labels, new RandomSequence(seed));

    /// <param name="opposite">Those that these are mixed with, the last first: the images themselves where they are a whole batch.</param>
    internal (Tensor Images, Tensor Labels) Apply(Tensor images, Tensor labels, Tensor opposite, Tensor oppositeLabels, RandomSequence random)
    {
        Augmentation.CheckImages(images);
        ArgumentNullException.ThrowIfNull(labels);
        if (labels.dim() != 2 || labels.size(0) != images.size(0) || labels.dtype != ScalarType.Float32)
            throw new ArgumentException(
                $"The labels are {labels.dtype} of shape [{string.Join(", ", labels.shape)}]: expected Float32 [{images.size(0)}, classes].",
                nameof(labels));
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
        (Tensor mixed, double share) = random.Chance(Probability) ? Mix(images, opposite, random) : (images, 1);
        mixed = ReferenceEquals(mixed, images) ? images.alias() : mixed;
        Tensor mixedLabels = share == 1 ? labels.alias() : labels.Times(share).AddInPlace(oppositeLabels.flip(0).MultiplyInPlace(1 - share));
        return (mixed.MoveToOuterDisposeScope(), mixedLabels.MoveToOuterDisposeScope());
    }

    /// <summary>Mixes images; says which share of its own label each keeps.</summary>
    /// <param name="opposite">Those that they are mixed with, the last first.</param>
    internal abstract (Tensor Images, double Share) Mix(Tensor images, Tensor opposite, RandomSequence random);

    private protected static double Positive(double value, string name) =>
        value > 0 && double.IsFinite(value)
            ? value : throw new ArgumentOutOfRangeException(name, value, FormattableString.Invariant($"{name} is {value}: expected a positive number."));
}

/// <summary>Mixup (Zhang et al. 2018): each image becomes lambda of itself and 1 - lambda of another, lambda ~ Beta(alpha, alpha).</summary>
/// <exception cref="ArgumentOutOfRangeException"><paramref name="Alpha"/> is not positive.</exception>
public sealed record Mixup(double Alpha) : LabelMixing
{
    /// <summary>Of the beta distribution, above 0: small numbers mix little, 1 is uniform. MAE fine-tunes with 0.8.</summary>
    public double Alpha { get; } = Positive(Alpha, nameof(Alpha));

    internal override (Tensor Images, double Share) Mix(Tensor images, Tensor opposite, RandomSequence random)
    {
        double share = random.Beta(Alpha);
        return (images.Times(share).AddInPlace(opposite.flip(0).MultiplyInPlace(1 - share)), share);
    }
}

/// <summary>
/// CutMix (Yun et al. 2019): a box of each image is taken from another. Of lambda ~ Beta(alpha, alpha) the box has sqrt(1 - lambda) of the image's
/// height and width and its centre anywhere; it is cut off at the edges, and the labels are mixed by the area that is left of it, as in timm.
/// </summary>
/// <exception cref="ArgumentOutOfRangeException"><paramref name="Alpha"/> is not positive.</exception>
public sealed record Cutmix(double Alpha) : LabelMixing
{
    /// <summary>Of the beta distribution, above 0. MAE fine-tunes with 1.</summary>
    public double Alpha { get; } = Positive(Alpha, nameof(Alpha));

    internal static CropBox Box(double lambda, int height, int width, RandomSequence random)
    {
        double side = Math.Sqrt(1 - lambda);
        int halfHeight = (int)(height * side) / 2, halfWidth = (int)(width * side) / 2, y = random.Below(height), x = random.Below(width);
        int top = Math.Max(y - halfHeight, 0), bottom = Math.Min(y + halfHeight, height);
        int left = Math.Max(x - halfWidth, 0), right = Math.Min(x + halfWidth, width);
        return new(top, left, bottom - top, right - left);
    }

    internal override (Tensor Images, double Share) Mix(Tensor images, Tensor opposite, RandomSequence random)
    {
        (int height, int width) = ((int)images.size(2), (int)images.size(3));
        CropBox box = Box(random.Beta(Alpha), height, width, random);
        if (box.Height == 0 || box.Width == 0) return (images, 1);
        Tensor mixed = images.clone();
        Within(mixed, box).copy_(Within(opposite, box).flip(0));
        return (mixed, 1 - (double)box.Height * box.Width / ((double)height * width));
    }

    private static Tensor Within(Tensor images, CropBox box) => images.narrow(2, box.Top, box.Height).narrow(3, box.Left, box.Width);
}

/// <summary>For each batch one of <see cref="Mixup"/> and <see cref="Cutmix"/>, as timm's Mixup with both: MAE fine-tunes with 0.8 and 1.</summary>
/// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
public sealed record MixupOrCutmix(double MixupAlpha = 0.8, double CutmixAlpha = 1, double SwitchProbability = 0.5) : LabelMixing
{
    /// <summary>Of Mixup's beta distribution, above 0. Default 0.8.</summary>
    public double MixupAlpha { get; } = Positive(MixupAlpha, nameof(MixupAlpha));

    /// <summary>Of Cutmix's beta distribution, above 0. Default 1.</summary>
    public double CutmixAlpha { get; } = Positive(CutmixAlpha, nameof(CutmixAlpha));

    /// <summary>How often it is Cutmix, in [0, 1]. Default 0.5.</summary>
    public double SwitchProbability { get; } = Augmentation.Within(SwitchProbability, 0, 1);

    internal override (Tensor Images, double Share) Mix(Tensor images, Tensor opposite, RandomSequence random)
    {
        LabelMixing chosen = random.Chance(SwitchProbability) ? new Cutmix(CutmixAlpha) : new Mixup(MixupAlpha);
        return chosen.Mix(images, opposite, random);
    }
}

/// <summary>Labels as probabilities of all classes, not quite certain of the true one (Szegedy et al. 2016).</summary>
public static class LabelSmoothing
{
    /// <summary>The true class gets 1 - smoothing + smoothing / classes, each other smoothing / classes, as in timm; a row sums to 1.</summary>
    /// <param name="classes">The true class of each image, any integer type: <c>[batch]</c>, each in [0, numClasses).</param>
    /// <param name="smoothing">What is spread over all classes, in [0, 1). Default 0: one-hot. MAE fine-tunes with 0.1.</param>
    /// <returns><c>[batch, numClasses]</c>, float32, on the device of <paramref name="classes"/>.</returns>
    /// <exception cref="ArgumentException"><paramref name="classes"/> is not a vector.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no class, or the smoothing is outside [0, 1).</exception>
    public static Tensor OneHot(Tensor classes, int numClasses, double smoothing = 0)
    {
        ArgumentNullException.ThrowIfNull(classes);
        ArgumentOutOfRangeException.ThrowIfLessThan(numClasses, 1);
        if (!(smoothing is >= 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(smoothing), smoothing, "The smoothing must lie in [0, 1).");
        if (classes.dim() != 1)
            throw new ArgumentException($"The classes are of shape [{string.Join(", ", classes.shape)}]: expected [batch].", nameof(classes));
        double off = smoothing / numClasses;
        using Tensor places = classes.to_type(ScalarType.Int64).unsqueeze(1);
        using Tensor on = TensorArithmetic.Full([classes.size(0), 1], 1 - smoothing + off, ScalarType.Float32, classes.device);
        return TensorArithmetic.Full([classes.size(0), numClasses], off, ScalarType.Float32, classes.device).scatter_(1, places, on);
    }
}
