namespace Smae.Training;

/// <summary>One pass over the images.</summary>
internal sealed class TrainingEpoch
{
    /// <summary>Where its last step stands, as far as is known: see <see cref="TimePlan"/>.</summary>
    public required TrainingPosition Last { get; set; }

    /// <summary>The epoch, counted from 1.</summary>
    public int Number => Last.Epoch + 1;

    /// <summary>How the model did on the validation images after this epoch; whoever trains sets it, null where it was not looked at.</summary>
    public Evaluation? Validation { get; set; }

    /// <summary>How the model did on images held out; as <see cref="Validation"/>.</summary>
    public LabelFreeEvaluation? HeldOut { get; set; }
}

/// <summary>One step of a run; <paramref name="Images"/> are those of its batch, as indices.</summary>
internal sealed record TrainingStep(TrainingPosition Position, double LearningRate, ReadOnlyMemory<long> Images)
{
    private double _loss;
    private Tensor? _queued;

    /// <summary>Whether <see cref="ReadLoss"/> waits for nothing.</summary>
    public bool IsLossMade => _queued is null;

    /// <summary>Adds to the loss.</summary>
    public void Add(double loss) => _loss += loss;

    /// <summary>Adds a number that a GPU may still be making; it is not waited for.</summary>
    public void Add(Tensor loss)
    {
        using Tensor? before = _queued;
        _queued = (before is null ? loss : before.Plus(loss)).DetachFromDisposeScope();
    }

    /// <summary>The loss of this rank's images, once it is made.</summary>
    public double ReadLoss()
    {
        using Tensor? queued = _queued;
        _queued = null;
        return _loss += queued?.AsDouble() ?? 0;
    }
}

/// <summary>
/// A step's batch, or a part of it where gradients are accumulated over several; of that the images of this rank, where several work on it. Random numbers
/// follow from the part and the place of an image in it: whose images these are makes no difference.
/// </summary>
/// <param name="whole">The images of all ranks, as indices.</param>
/// <param name="share">Where this rank's begin among them, and end.</param>
/// <param name="scope">Ends with the part.</param>
internal sealed class StepPart(Trainer trainer, TrainingStep step, int number, ReadOnlyMemory<long> whole, (int Begin, int End) share, DisposeScope scope)
{
    private readonly ReadOnlyMemory<long> _images = whole[share.Begin..share.End];

    /// <summary>Where the step stands in the run.</summary>
    public TrainingPosition Position => step.Position;

    /// <summary>The images, as indices.</summary>
    public ReadOnlySpan<long> Images => _images.Span;

    /// <summary>The same, to be kept.</summary>
    public ReadOnlyMemory<long> Indices => _images;

    /// <summary>How many images.</summary>
    public int Count => _images.Length;

    /// <summary>The place of the first of them among those of all ranks.</summary>
    public int First => share.Begin;

    /// <summary>How many images all ranks have.</summary>
    public int WholeCount => whole.Length;

    /// <summary>
    /// The images as far from the end as these are from the beginning, those of another rank perhaps; this where there is but one rank, or each has images of its own.
    /// </summary>
    public StepPart Opposite => Count == WholeCount || trainer.Ranks.AreSharded
        ? this : new(trainer, step, number, whole, (WholeCount - share.End, WholeCount - share.Begin), scope);

    /// <summary>Holds what lives as long as the part, however deep in other scopes it is made.</summary>
    public DisposeScope Scope => scope;

    /// <summary>A number that no other part of any step has: where its random numbers are drawn.</summary>
    public long Place { get; } = RandomStream.Mix(step.Position.Step, number);

    /// <summary>Random numbers for one use in this part.</summary>
    public RandomSequence Random(RandomUse use) => trainer.Random.SequenceAt(use, Place);

    /// <summary>Random numbers of each image for one use.</summary>
    public RandomSequence[] RandomOfImages(RandomUse use) => RandomSequence.OfImages(trainer.Random.SeedAt(use, Place), First, Count);

    /// <summary>Random numbers of each image for one of several uses of a kind.</summary>
    public RandomSequence[] RandomOfImages(RandomUse use, int index) =>
        RandomSequence.OfImages(trainer.Random.SeedAt(use, RandomStream.Mix(Place, index)), First, Count);

    /// <summary>
    /// Random numbers of libtorch's for one use, the same on all ranks: for what is drawn of all images at once. They hold until the next are asked for.
    /// </summary>
    public Generator Generator(RandomUse use) => trainer.Random.At(use, Place);

    /// <summary>Adds the gradients of this part to those of the step.</summary>
    /// <param name="loss">The mean loss of a batch, a scalar with its graph. With <paramref name="rowsPerImage"/> it is called on several threads at once.</param>
    /// <param name="slice">Images of the batch, from the first number up to the second; called on this thread.</param>
    /// <param name="rowsPerImage">
    /// Where the loss of the batch is the mean of its images' losses, the rows that an image adds to the model's matrix products (the tokens of a transformer);
    /// null where it must be made at once: batch statistics, pairs of images.
    /// </param>
    public void Backward<T>(T batch, Func<T, Tensor> loss, Func<int, int, T> slice, int? rowsPerImage)
    {
        double part = (double)Count / step.Images.Length;
        using IDisposable gradients = enable_grad();
        if (trainer.Cpu is { } cpu && rowsPerImage is { } rows)
            step.Add(part * cpu.Add(Count, rows, loss, slice, part, trainer.Random.SeedAt(RandomUse.Model, Place), First));
        else
        {
            Tensor made = CpuGradients.WithoutRest(batch, loss);
            (part == 1 ? made : made.Times(part)).backward();
            step.Add(made.detach().to_type(ScalarType.Float64).Times(part));
        }
    }
}
