using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// Mixes each image of a batch with the one as far from the batch's end as it is from its start, and their labels alike, by one draw for the whole
/// batch (timm's mode 'batch'). A value without state.
/// </summary>
public abstract record LabelMixing
{
    private protected LabelMixing()
    {
    }

    /// <summary>How many batches are mixed, in [0, 1]. Default 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The probability is outside [0, 1].</exception>
    public double Probability { get; init => field = Augmentation.Within(value, 0, 1, nameof(Probability)); } = 1;

    /// <summary>Mixes a batch.</summary>
    /// <param name="images"><c>[batch, channels, height, width]</c>, float32; left as they are.</param>
    /// <param name="labels">Probabilities of the classes, float32, <c>[batch, classes]</c>: see <see cref="LabelSmoothing.OneHot"/>.</param>
    /// <param name="seed">What all random numbers follow from.</param>
    /// <returns>Images and labels of the same shapes; tensors of their own, though they may share memory with what was given.</returns>
    /// <exception cref="ArgumentException">The images or labels are of another shape or type.</exception>
    public (Tensor Images, Tensor Labels) Apply(Tensor images, Tensor labels, long seed) => Apply(images, labels, new RandomSequence(seed));

    /// <summary>As above, with random numbers from a sequence.</summary>
    internal (Tensor Images, Tensor Labels) Apply(Tensor images, Tensor labels, RandomSequence random)
    {
        Augmentation.CheckImages(images);
        ArgumentNullException.ThrowIfNull(labels);
        if (labels.dim() != 2 || labels.size(0) != images.size(0) || labels.dtype != ScalarType.Float32)
            throw new ArgumentException(
                $"The labels are {labels.dtype} of shape [{string.Join(", ", labels.shape)}]: expected Float32 [{images.size(0)}, classes].",
                nameof(labels));
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
        (Tensor mixed, double share) = random.Chance(Probability) ? Mix(images, random) : (images, 1);
        mixed = ReferenceEquals(mixed, images) ? images.alias() : mixed;
        Tensor mixedLabels = share == 1 ? labels.alias() : labels.mul(share).add_(labels.flip(0).mul_(1 - share));
        return (mixed.MoveToOuterDisposeScope(), mixedLabels.MoveToOuterDisposeScope());
    }

    /// <summary>Mixes images; says which share of its own label each keeps.</summary>
    internal abstract (Tensor Images, double Share) Mix(Tensor images, RandomSequence random);

    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    private protected static double Positive(double value, string name) =>
        value > 0 && double.IsFinite(value)
            ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}: expected a positive number.");
}
