using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Labels as probabilities of all classes, not quite certain of the true one (Szegedy et al. 2016).</summary>
public static class LabelSmoothing
{
    /// <summary>
    /// The true class gets 1 - smoothing + smoothing / classes, each other smoothing / classes, as in timm; a row sums to 1.
    /// </summary>
    /// <param name="classes">The true class of each image, any integer type: <c>[batch]</c>, each in [0, numClasses).</param>
    /// <param name="numClasses">How many classes there are.</param>
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
        using Tensor on = full(classes.size(0), 1, 1 - smoothing + off, ScalarType.Float32, classes.device);
        return full(classes.size(0), numClasses, off, ScalarType.Float32, classes.device).scatter_(1, places, on);
    }
}
