using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Some images of a batch, as views of what the whole batch has made already; may be used on another thread.</summary>
/// <param name="whole">The batch.</param>
/// <param name="from">The first image.</param>
/// <param name="to">The one after the last.</param>
internal sealed class PartOfBatch(PretrainBatch whole, int from, int to) : PretrainBatch
{
    private readonly Tensor _images = whole.Images.narrow(0, from, to - from);
    private readonly PatchMask _mask = whole.Mask.Narrow(from, to - from);

    public override TrainingPosition Position => whole.Position;

    public override Tensor Images => _images;

    public override PatchMask Mask => _mask;

    public override Tensor View(int index, Augmentation augmentation) =>
        throw new NotSupportedException($"An objective whose {nameof(ObjectiveRun.IsMeanOverImages)} is true cannot ask for other views of its images.");
}
