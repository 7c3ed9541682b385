namespace Smae.Training;

/// <summary>
/// What training on labels adds to a <see cref="Trainer"/>, whatever the model and whatever its inputs are made of: soft-target cross entropy in float32,
/// validation in evaluation mode over the whole set, the best epoch kept, early stopping.
/// </summary>
internal sealed class Supervision : IDisposable
{
    /// <summary>What a checkpoint calls the validation images.</summary>
    public const string ValidationImages = "ValidationImages";

    private readonly nn.Module<Tensor, Tensor> _model;
    private readonly int _classes;
    private readonly LabelledImages _training;
    private readonly LabelledImages? _validation;
    private readonly SupervisedOptions _options;
    private readonly Device _device;
    private readonly (string Name, Tensor Tensor)[] _weights;
    private readonly Tensor[] _best;   // copies of the weights as they were when they did best; empty where these are not to be kept

    /// <param name="model">From inputs to logits, on <paramref name="device"/>; switched to training.</param>
    public Supervision(
        nn.Module<Tensor, Tensor> model, int classes, LabelledImages training, LabelledImages? validation, SupervisedOptions options, Device device)
    {
        (_model, _classes, _training, _validation, _options, _device) = (model, classes, training, validation, options, device);
        _weights = [.. model.named_parameters().Select(p => (p.Item1, (Tensor)p.Item2)), .. model.named_buffers().Select(b => (b.Item1, b.Item2))];
        using var noGrad = no_grad();
        _best = validation is null || !options.KeepBest ? [] : [.. _weights.Select(w => w.Tensor.detach().clone().DetachFromDisposeScope())];
        model.train();
    }

    /// <summary>The trainer of the model.</summary>
    /// <param name="identity">What the numbers of the run depend on beside labels, options and the model: preprocessing, weights that are not trained.</param>
    /// <param name="divides">Whether ranks divide the images of a step.</param>
    public Trainer Trainer(Optimizer optimizer, Func<string> identity, Action<string>? log, Ranks ranks, bool divides = true)
    {
        IEnumerable<(string, Tensor)> best = _best.Select((copy, i) => (StateNames.Best + _weights[i].Name, copy));
        var images = new EpochImages(_training.Count, _options, ranks);
        var trainer = new Trainer(
            _options, optimizer, _weights.Concat(best), images, brief => Settings(identity(), brief), (_model as IPartwiseModel)?.Noise, log,
            _validation is null ? default : (_options.ValidateEvery, _validation.Count), ranks, divides);
        if (ranks.IsFirst) log?.Invoke($"Training on {images}, of {_classes} classes, {trainer.Plan}, on {_device}{ranks}.");
        return trainer;
    }

    /// <summary>Adds the gradients of the loss of a part of a step; labels are smoothed, and mixed together with the inputs, as the options say.</summary>
    /// <param name="inputs">Inputs of the model, of some images of a step.</param>
    public void Backward(StepPart part, Func<StepPart, Tensor> inputs)
    {
        SupervisedBatch Of(StepPart of) => SupervisedBatch.Of(inputs(of), _training.Labels(of.Images, _device), _classes, _options);
        SupervisedBatch batch = Of(part);
        if (_options.Mixing is { } mixing) batch = batch.Mixed(mixing, part.Opposite == part ? batch : Of(part.Opposite), part.Random(RandomUse.Mixing));
        part.Backward(batch, Loss, batch.Slice, rowsPerImage: (_model as IPartwiseModel)?.RowsPerImage);
    }

    private Tensor Loss(SupervisedBatch batch) => CrossEntropy(Logits(_model.forward(batch.Inputs), batch.Inputs.size(0)), batch.Targets);

    /// <summary>Cross entropy of logits, <c>[batch, classes]</c>, with probabilities as targets, mean over the batch, in float32.</summary>
    public static Tensor CrossEntropy(Tensor logits, Tensor targets) =>
        (logits.to_type(ScalarType.Float32).log_softmax(-1) * targets).sum(-1L).mean().neg();

    /// <summary>Looks at the validation images after an epoch, and keeps the weights if they do better than any before.</summary>
    /// <param name="logits">The model's logits of validation images, by their indices.</param>
    /// <returns>Null where they are not to be looked at.</returns>
    public Evaluation? Validate(Trainer trainer, TrainingEpoch epoch, Func<long[], Tensor> logits)
    {
        if (_validation is null || (epoch.Number % _options.ValidateEvery != 0 && epoch.Number != epoch.Last.Epochs)) return null;
        return trainer.Evaluate(epoch, () =>
        {
            _model.eval();
            try
            {
                Evaluation evaluation = Evaluation.Of(
                    block => Logits(logits(block), block.Length), _validation, _options.BatchSize, _device, trainer.Ranks, trainer.Cancellation);
                if (BestOf(trainer.History)?.Validation is not { } before || evaluation.IsBetterThan(before))
                    for (int i = 0; i < _best.Length; i++) _best[i].copy_(_weights[i].Tensor);
                return evaluation;
            }
            finally
            {
                _model.train();
            }
        }, evaluation => evaluation.Loss);
    }

    /// <summary>Whether the validation images have been looked at too often without a new best.</summary>
    public bool StopsEarly(IReadOnlyList<EpochSummary> history) =>
        _options.Patience is { } patience && BestOf(history) is { } best
            && history.Count(e => e.Validation is not null && e.Epoch > best.Epoch) >= patience;

    /// <summary>Gives the model its best weights, if these are kept, switches it to evaluation, and tells how the run went.</summary>
    public SupervisedResult<TModel> Finish<TModel>(TModel model, Trainer trainer) where TModel : IDisposable
    {
        EpochSummary? best = BestOf(trainer.History);
        using (no_grad())
            for (int i = 0; best is not null && i < _best.Length; i++) _weights[i].Tensor.copy_(_best[i]);
        _model.eval();
        return new SupervisedResult<TModel>(model, trainer.History, best, trainer.Elapsed, trainer.ImagesPerSecond);
    }

    public void Dispose() => Array.ForEach(_best, copy => copy.Dispose());

    private Tensor Logits(Tensor logits, long images) => logits.dim() == 2 && logits.size(0) == images && logits.size(1) == _classes
        ? logits
        : throw new InvalidOperationException(
            $"The model gives [{string.Join(", ", logits.shape[1..])}] for an image: expected [{_classes}], a logit for each class.");

    private static EpochSummary? BestOf(IReadOnlyList<EpochSummary> history) => history.Where(epoch => epoch.Validation is not null)
        .Aggregate((EpochSummary?)null, (best, epoch) => best is null || epoch.Validation!.IsBetterThan(best.Validation!) ? epoch : best);

    // The first weights say what the run started from: encoder, file or seed. Ranks all begin with the first one's.
    private IEnumerable<(string Name, string Value)> Settings(string inputs, bool brief)
    {
        string Named(LabelledImages images) => $"{images.Count} images, {images.ContentHash(brief)}";
        return
        [
            .. _options.Settings.Where(s => !brief || s.Name is not (nameof(FineTuneOptions.EncoderWeights) or nameof(FineTuneOptions.Encoder))),
            ("Model", $"{_model.GetType()}"), .. brief ? [] : ((string, string)[])[("FirstWeights", TensorHash.Of(_weights))], ("Inputs", inputs),
            (Training.Trainer.Images, Named(_training)), (ValidationImages, _validation is null ? "none" : Named(_validation)),
        ];
    }
}

/// <summary>What a step on labels trains with: inputs of the model, and probabilities of the classes, <c>[batch, classes]</c>, float32.</summary>
internal sealed record SupervisedBatch(Tensor Inputs, Tensor Targets)
{
    /// <param name="labels">The class of each input, <c>[batch]</c>, int64.</param>
    public static SupervisedBatch Of(Tensor inputs, Tensor labels, int classes, SupervisedOptions options) =>
        new(inputs, LabelSmoothing.OneHot(labels, classes, options.LabelSmoothing));

    /// <summary>The same, mixed.</summary>
    /// <param name="opposite">What it is mixed with, the last first.</param>
    public SupervisedBatch Mixed(LabelMixing mixing, SupervisedBatch opposite, RandomSequence random)
    {
        (Tensor inputs, Tensor targets) = mixing.Apply(Inputs, Targets, opposite.Inputs, opposite.Targets, random);
        return new SupervisedBatch(inputs, targets);
    }

    public SupervisedBatch Slice(int from, int to) => new(Inputs.narrow(0, from, to - from), Targets.narrow(0, from, to - from));
}
