namespace Smae.Training;

/// <summary>
/// What a step of pretraining gives its objective. All of it is made when it is first asked for, so a method costs what it uses; it holds until the loss is
/// made.
/// </summary>
public class PretrainBatch
{
    private readonly Func<Tensor> _makeImages;
    private readonly Func<PatchMask> _makeMask;
    private readonly Func<int, Augmentation, Tensor>? _makeView;
    private Tensor? _images;
    private PatchMask? _mask;

    /// <summary>A batch, to ask an objective for its loss: a run makes its own.</summary>
    /// <param name="view">Makes what <see cref="View"/> gives; null where there are no views.</param>
    public PretrainBatch(
        TrainingPosition position, int count, Func<Tensor> images, Func<PatchMask> mask, Func<int, Augmentation, Tensor>? view = null) =>
        (Position, Count, _makeImages, _makeMask, _makeView) = (position, count, images, mask, view);

    /// <summary>Where the step stands in the run.</summary>
    public TrainingPosition Position { get; }

    /// <summary>How many images.</summary>
    public int Count { get; }

    /// <summary>Which of the run's images these are, counted from 0: a number is the same image in every epoch. Empty where a batch was made without.</summary>
    public ReadOnlyMemory<long> Indices { get; init; }

    /// <summary>
    /// A number that no other batch of the run has, all parts of this one have, and a run that goes on has again: for random numbers of a method's own.
    /// </summary>
    public long Seed { get; init; }

    /// <summary>
    /// The place of the first of these images in the batch that <see cref="Seed"/> is of. Random numbers of an image that follow from the seed and its place are
    /// the same wherever it is worked on: in a part of the batch, or by another process.
    /// </summary>
    public int First { get; init; }

    /// <summary>Images in that batch, those of all processes. Default as many as there are here.</summary>
    public int WholeCount { get => field == 0 ? Count : field; init; }

    /// <summary>The images with the run's own augmentation, normalised: <c>[batch, channels, height, width]</c>, float32.</summary>
    public Tensor Images => _images ??= Keep(_makeImages());

    /// <summary>Which patches of each image are hidden, drawn by the run's masking.</summary>
    public PatchMask Mask => _mask ??= Scope is null ? _makeMask() : Draw(Scope);

    /// <summary>
    /// A row for each image, which <see cref="ObjectiveRun.BatchReady"/> may put here for <see cref="ObjectiveRun.Loss"/>: a part of the batch has the rows of
    /// its images. It lives as long as the batch. Default null.
    /// </summary>
    public Tensor? Targets { get; set => field = value is null ? null : Keep(value); }

    /// <summary>Holds what is made, however deep in other scopes it is first asked for; null is the scope that it is made in.</summary>
    internal DisposeScope? Scope { get; init; }

    /// <summary>The same images seen another way: from the stored pixels, without the run's own augmentation.</summary>
    /// <param name="index">Which view, from 0: each draws random numbers of its own, and the same view of a step is the same whenever it is made.</param>
    /// <param name="augmentation">What is done to the images, on a scale of 0 to 1, before they are normalised. It may change their size.</param>
    /// <returns><c>[batch, channels, height, width]</c>, float32, normalised; made anew at every call.</returns>
    /// <exception cref="NotSupportedException">These are some images of a batch: see <see cref="ObjectiveRun.IsMeanOverImages"/>.</exception>
    public Tensor View(int index, Augmentation augmentation) => _makeView is not null
        ? _makeView(index, augmentation)
        : throw new NotSupportedException($"An objective whose {nameof(ObjectiveRun.IsMeanOverImages)} is true cannot ask for other views of its images.");

    /// <summary>Some of the images, their masks and targets, as views of what this batch has made; without <see cref="View"/>.</summary>
    public PretrainBatch Slice(int from, int to)
    {
        (Tensor images, PatchMask mask) = (Images.narrow(0, from, to - from), Mask.Narrow(from, to - from));
        return new PretrainBatch(Position, to - from, () => images, () => mask)
        {
            Indices = Indices.IsEmpty ? Indices : Indices[from..to], Targets = Targets?.narrow(0, from, to - from), Seed = Seed,
            First = First + from, WholeCount = WholeCount,
        };
    }

    private Tensor Keep(Tensor tensor)
    {
        Scope?.Attach(tensor);
        return tensor;
    }

    private PatchMask Draw(DisposeScope scope)
    {
        using DisposeScope drawing = NewDisposeScope();
        PatchMask drawn = _makeMask();
        foreach (Tensor tensor in (Tensor[])[drawn.Order, drawn.Visible, drawn.Restore]) scope.Attach(tensor);
        return drawn;
    }
}
