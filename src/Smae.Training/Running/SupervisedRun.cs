using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// Training on labels, whatever the model and whatever its inputs are made of: soft-target cross entropy in float32, validation in evaluation mode
/// over the whole set, the best epoch kept, early stopping.
/// </summary>
/// <param name="model">From inputs to logits, on <paramref name="device"/>.</param>
/// <param name="weights">All tensors of the model that training changes.</param>
/// <param name="classes">Number of classes.</param>
/// <param name="options">How.</param>
/// <param name="device">Where.</param>
/// <param name="identity">Text that says what else the numbers of the run depend on: preprocessing, weights that are not trained.</param>
internal sealed class SupervisedRun(
    nn.Module<Tensor, Tensor> model, IEnumerable<(string Name, Tensor Tensor)> weights, int classes, SupervisedOptions options, Device device,
    string identity)
{
    /// <summary>Every epoch.</summary>
    public IReadOnlyList<EpochSummary> History { get; private set; } = [];

    /// <summary>The epoch that did best; null without validation.</summary>
    public EpochSummary? Best => BestOf(History);

    /// <summary>How long training took, since the run began or went on.</summary>
    public TimeSpan Elapsed { get; private set; }

    /// <summary>Images trained on a second, since the run began or went on.</summary>
    public double ImagesPerSecond { get; private set; }

    /// <summary>Trains; the model ends in evaluation mode, with the best weights if these are to be kept.</summary>
    /// <param name="optimizer">Holds what is trained; disposed at the end.</param>
    /// <param name="training">Images and labels.</param>
    /// <param name="trainingInputs">What the model sees of images in training: their indices, random numbers for augmentation.</param>
    /// <param name="validation">Images and labels; null is no validation.</param>
    /// <param name="validationInputs">What the model sees of validation images.</param>
    /// <param name="log">Given lines for people.</param>
    public void Execute(
        Optimizer optimizer, LabelledImages training, Func<ReadOnlyMemory<long>, RandomSequence, Tensor> trainingInputs,
        LabelledImages? validation, Func<ReadOnlyMemory<long>, Tensor> validationInputs, Action<string>? log)
    {
        (string Name, Tensor Tensor)[] trained = [.. weights];
        using BestWeights? best = validation is not null && options.KeepBest ? new BestWeights(trained) : null;
        using var run = new TrainingRun(
            options, optimizer, training.Count, () => Fingerprint(training, validation, trained), log,
            validation is null ? null : earlier => Validate(earlier, validation, validationInputs, best), ShouldStop);
        log?.Invoke($"Training on {training.Count} images of {classes} classes, {run.Plan}, on {device}.");
        model.train();
        IEnumerable<(string, Tensor)> state = best is null ? trained : trained.Concat(best.State);
        var partwise = model as IPartwiseModel;
        (History, Elapsed, ImagesPerSecond) = run.Execute(state, partwise?.Noise, (step, _) =>
        {
            (Tensor inputs, Tensor targets) = Batch(training, trainingInputs, step, run.Random);
            var loss = new StepLoss(() => Loss(Logits(inputs), targets));
            return partwise?.RowsPerImage is not { } rows ? loss : loss with
            {
                OfPart = (from, to) => Loss(Logits(inputs.narrow(0, from, to - from)), targets.narrow(0, from, to - from)), RowsPerImage = rows,
            };
        });
        if (Best is not null) best?.Restore();
        model.eval();
    }

    /// <summary>What a step trains on.</summary>
    /// <param name="training">Images and labels.</param>
    /// <param name="inputs">What the model sees of images: their indices, random numbers for augmentation.</param>
    /// <param name="step">Which images, and where in the run.</param>
    /// <param name="random">The run's random numbers.</param>
    /// <returns>Inputs of the model, and the probabilities of the classes, <c>[batch, classes]</c>, float32, smoothed and mixed.</returns>
    internal (Tensor Inputs, Tensor Targets) Batch(
        LabelledImages training, Func<ReadOnlyMemory<long>, RandomSequence, Tensor> inputs, TrainingStep step, RandomStream random)
    {
        Tensor targets = Smae.Training.LabelSmoothing.OneHot(training.Labels(step.Images.Span, device), classes, options.LabelSmoothing);
        Tensor seen = inputs(step.Images, random.SequenceAt(RandomUse.Augmentation, step.Place));
        return options.Mixing is null ? (seen, targets) : options.Mixing.Apply(seen, targets, random.SequenceAt(RandomUse.Mixing, step.Place));
    }

    /// <summary>Cross entropy with probabilities as targets, mean over the batch, in float32.</summary>
    /// <param name="logits"><c>[batch, classes]</c>.</param>
    /// <param name="targets">Probabilities, <c>[batch, classes]</c>, float32.</param>
    public static Tensor Loss(Tensor logits, Tensor targets) =>
        (logits.to_type(ScalarType.Float32).log_softmax(-1) * targets).sum(-1L).mean().neg();

    /// <summary>Evaluates over a whole set; the model must be in evaluation mode.</summary>
    /// <param name="logits">Logits of images, by their indices.</param>
    /// <param name="images">Images and labels.</param>
    /// <param name="batchSize">Images at a time.</param>
    /// <param name="device">Where the logits are.</param>
    /// <param name="cancellation">Looked at between batches.</param>
    public static Evaluation Evaluate(
        Func<ReadOnlyMemory<long>, Tensor> logits, LabelledImages images, int batchSize, Device device, CancellationToken cancellation = default)
    {
        using var noGrad = no_grad();
        List<Evaluation> parts = [];
        foreach (long[] block in images.Blocks(batchSize))
        {
            cancellation.ThrowIfCancellationRequested();
            using DisposeScope scope = NewDisposeScope();
            parts.Add(Evaluation.Of(logits(block), images.Labels(block, device)));
        }
        return Evaluation.Together(parts);
    }

    private Tensor Logits(Tensor inputs)
    {
        Tensor logits = model.forward(inputs);
        return logits.dim() == 2 && logits.size(0) == inputs.size(0) && logits.size(1) == classes
            ? logits
            : throw new InvalidOperationException(
                $"The model gives [{string.Join(", ", logits.shape[1..])}] for an image: expected [{classes}], a logit for each class.");
    }

    private Evaluation? Validate(
        IReadOnlyList<EpochSummary> earlier, LabelledImages validation, Func<ReadOnlyMemory<long>, Tensor> inputs, BestWeights? best)
    {
        int epoch = earlier.Count + 1;
        if (epoch % options.ValidateEvery != 0 && epoch != options.Epochs) return null;
        model.eval();
        try
        {
            Tensor LogitsOf(Tensor seen) => (model as IPartwiseModel)?.RowsPerImage is { } rows ? CoreThreads.Map(seen, rows, Logits) : Logits(seen);
            Evaluation evaluation = Evaluate(block => LogitsOf(inputs(block)), validation, options.BatchSize, device, options.CancellationToken);
            if (BestOf(earlier)?.Validation is not { } before || evaluation.IsBetterThan(before)) best?.Keep();
            return evaluation;
        }
        finally
        {
            model.train();
        }
    }

    private bool ShouldStop(IReadOnlyList<EpochSummary> history) =>
        options.Patience is { } patience && BestOf(history) is { } best
            && history.Count(e => e.Validation is not null && e.Epoch > best.Epoch) >= patience;

    private static EpochSummary? BestOf(IReadOnlyList<EpochSummary> history)
    {
        EpochSummary? best = null;
        foreach (EpochSummary epoch in history)
            if (epoch.Validation is { } validation && (best is null || validation.IsBetterThan(best.Validation!))) best = epoch;
        return best;
    }

    // The first weights say what the run started from: encoder, file or seed.
    private string Fingerprint(LabelledImages training, LabelledImages? validation, (string, Tensor)[] trained) => TensorHash.Of(
        trained, string.Join('|', training.ContentHash(), validation?.ContentHash(), identity, model.GetType(), options with
        {
            Progress = null, CancellationToken = default, Checkpoints = null, ClassNames = null,
        }));
}
