using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// A batch out of an <see cref="ImageStore"/>. Its random numbers follow from seed and step alone, whatever is asked for and in which order.
/// </summary>
/// <param name="scope">Holds what the batch makes, however deep in other scopes it is first asked for.</param>
/// <param name="images">The images.</param>
/// <param name="options">Augmentation, masking and the grid of patches.</param>
/// <param name="normalizer">Turns bytes into what the model takes, on the run's device.</param>
/// <param name="random">The run's random numbers.</param>
/// <param name="step">Which step.</param>
internal sealed class StoredBatch(
    DisposeScope scope, ImageStore images, MaePretrainOptions options, ImageNormalizer normalizer, RandomStream random, TrainingStep step)
    : PretrainBatch
{
    private Tensor? _units;
    private Tensor? _images;
    private PatchMask? _mask;

    public override TrainingPosition Position => step.Position;

    public override Tensor Images => _images ??= Keep(
        normalizer.Normalize(Bytes, options.Augmentation, random.SequenceAt(RandomUse.Augmentation, step.Place)));

    public override PatchMask Mask
    {
        get
        {
            if (_mask is not null) return _mask;
            using DisposeScope drawing = NewDisposeScope();
            VisionTransformerConfig encoder = options.Encoder;
            PatchMask drawn = options.Masking.Draw(
                step.Images.Length, encoder.GridHeight, encoder.GridWidth, random.At(RandomUse.Mask, step.Place)).To(normalizer.Device);
            Keep(drawn.Order);
            Keep(drawn.Visible);
            Keep(drawn.Restore);
            return _mask = drawn;
        }
    }

    /// <summary>Makes images and mask now, on this thread.</summary>
    public void Make() => _ = (Images, Mask);

    public override Tensor View(int index, Augmentation augmentation) =>
        normalizer.NormalizeUnits(Units, augmentation, random.SequenceAt(RandomUse.View, RandomStream.Mix(step.Place, index)));

    /// <summary>The images on a scale of 0 to 1: what augmentations work on.</summary>
    private Tensor Units => _units ??= Keep(normalizer.ToUnits(Bytes));

    private Tensor Bytes => images.Batch(step.Images.Span);

    private Tensor Keep(Tensor tensor)
    {
        scope.Attach(tensor);
        return tensor;
    }
}
