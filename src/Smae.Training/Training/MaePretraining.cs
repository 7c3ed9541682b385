namespace Smae.Training;

/// <summary>Masked autoencoder pretraining on images without labels (He et al. 2022).</summary>
public static class MaePretraining
{
    /// <summary>Pretrains a new masked autoencoder.</summary>
    /// <param name="images">The images, of the size of the encoder in <paramref name="options"/>.</param>
    /// <param name="device">Where; null is the CPU.</param>
    /// <param name="log">Given a line for people at the start and at each epoch's end.</param>
    /// <exception cref="ArgumentException">An option is wrong (the message names all that are), the images are of another size, or none is left to train on.</exception>
    /// <exception cref="NonFiniteLossException">The loss became infinite or not a number.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled through the options.</exception>
    /// <exception cref="IOException">Checkpoints cannot be written, or another run has their folder.</exception>
    public static MaePretrainResult Run(ImageStore images, MaePretrainOptions options, Device? device = null, Action<string>? log = null)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(options);
        LibTorch.Require();   // before any use of TorchSharp, the name of a device too
        Ranks ranks = DataParallel.Connect(options.Distributed);
        return ranks.Together(() => Run(images, options, device ?? CPU, log, ranks));
    }

    private static MaePretrainResult Run(ImageStore images, MaePretrainOptions options, Device device, Action<string>? log, Ranks ranks)
    {
        options.Validate();
        if (images.Count == 0) throw new ArgumentException("There is no image to train on.", nameof(images));
        options.Preprocessing.CheckSize(images, nameof(images));
        if (!ranks.IsFirst) log = null;
        ranks.FindShards(() => images.ContentHash(brief: true));
        var divided = new HeldOutImages(images, options, device, ranks);
        var epoch = new EpochImages(divided.TrainingCount, options, ranks);

        return new MaskedAutoencoder(options.Encoder, options.Decoder, options.Seed ?? 0, options.Objective.Target).to(device).OrDispose(model =>
        {
            (model.Precision, model.Encoder.DropPath) = (options.Precision, options.DropPath);
            model.train();
            string? begun = options.InitialWeights is { } path ? StartingWeights.Load(model, path, options.Preprocessing) : null;
            using ObjectiveRun objective = options.Objective.Begin(model, options, device);
            objective.Ranks = ranks;
            if (ranks.AreSeveral && !objective.IsMeanOverParts)
                throw new ArgumentException(
                    $"The loss of {options.Objective.GetType().Name} is not the mean of its images' losses (IsMeanOverParts): ranks cannot divide a batch.",
                    nameof(options));
            using var optimizer = new AdamW(Groups(model, objective, options, epoch.StepCount), options.Beta1, options.Beta2);
            IEnumerable<(string, Tensor)> state = [.. ModelWeights.Of(model), .. objective.State.Select(s => ($"{StateNames.Objective}{s.Name}", s.Tensor))];
            using var trainer = new Trainer(
                options, optimizer, state, epoch, brief => [.. options.Settings, (Trainer.Images, divided.Identity(brief))], model.Encoder.Noise, log,
                divided.Looks, ranks);
            if (begun is not null) log?.Invoke(begun);
            log?.Invoke($"Pretraining on {epoch}, {(options.HeldOutImages == 0 ? "" : $"{options.HeldOutImages} more held out, ")}{trainer.Plan}, on {device}{ranks}.");
            trainer.Recovering(() => Train(trainer, model, objective, divided, options, device));
            model.eval();
            return new MaePretrainResult(model, new ImageEncoder(model.Encoder, options.Preprocessing, options.Pooling, device), trainer);
        });
    }

    /// <summary>Measures an autoencoder without labels: its embeddings and its reconstructions, by masks of the options.</summary>
    /// <param name="model">The autoencoder, on <paramref name="device"/>; it is switched to evaluation.</param>
    /// <param name="images">Images that it was not trained on, two at least.</param>
    /// <param name="options">Those it was trained with: preprocessing, pooling, masking, objective and seed are used.</param>
    /// <param name="device">Where the model is; null is the CPU.</param>
    /// <exception cref="ArgumentException">The images are of another size than the options say, or fewer than two.</exception>
    public static LabelFreeEvaluation Evaluate(MaskedAutoencoder model, ImageStore images, MaePretrainOptions options, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(options);
        options.Preprocessing.CheckSize(images, nameof(images));
        if (images.Count < 2) throw new ArgumentException($"There are {images.Count} images: expected at least two.", nameof(images));
        model.eval();
        return HeldOutImages.Evaluate(model, images, [.. Enumerable.Range(0, (int)images.Count)], (0, (int)images.Count), options, device ?? CPU, Ranks.Alone);
    }

    private static void Train(
        Trainer trainer, MaskedAutoencoder model, ObjectiveRun objective, HeldOutImages images, MaePretrainOptions options, Device device)
    {
        using var normalizer = new ImageNormalizer(options.Preprocessing, device);
        (int height, int width) = (options.Encoder.GridHeight, options.Encoder.GridWidth);
        foreach (TrainingEpoch epoch in trainer.Epochs())
        {
            foreach (TrainingStep step in trainer.Steps(epoch))
            {
                foreach (StepPart part in trainer.Parts(step))
                {
                    Tensor bytes = images.Batch(part.Images);
                    var batch = new PretrainBatch(
                        part.Position, part.Count,
                        images: () => normalizer.Normalize(bytes, options.Augmentation, part.RandomOfImages(RandomUse.Augmentation)),
                        mask: () => options.Masking.Draw(part.WholeCount, height, width, part.Generator(RandomUse.Mask)).Narrow(part.First, part.Count).To(device),
                        view: (index, augmentation) => normalizer.Normalize(bytes, augmentation, part.RandomOfImages(RandomUse.View, index)))
                    {
                        Indices = part.Indices, First = part.First, WholeCount = part.WholeCount, Scope = part.Scope,
                        Seed = (long)part.Random(RandomUse.Objective).Next(),
                    };
                    InScope(() => objective.BatchReady(batch));
                    int? rows = objective.IsMeanOverImages
                        ? RowsOf(model, options.Encoder.TokenCount - (objective.EncodesHidden ? 0 : (int)batch.Mask.HiddenCount)) : null;
                    part.Backward(batch, objective.Loss, batch.Slice, rows);
                }
                InScope(() => objective.GradientsReady(step.Position));
                trainer.Update(step);
                InScope(() => objective.StepEnded(step.Position));
            }
            epoch.HeldOut = images.Evaluate(trainer, epoch, model);
            InScope(() => objective.EpochEnded(epoch.Last));
        }
        using (no_grad()) InScope(objective.RunEnded);
    }

    /// <summary>Rows that an image adds to the products of encoder and decoder, the mean over their weights: so many rows use each weight that is read.</summary>
    private static int RowsOf(MaskedAutoencoder model, int encoded)
    {
        if (!model.Target.HasDecoder()) return encoded;
        double encoder = model.Config.ProductWeights, decoder = model.DecoderConfig.ProductWeights;
        return (int)((encoder * encoded + decoder * model.Config.PatchCount) / (encoder + decoder));
    }

    /// <summary>The model's parameters and the objective's own, of which some may be left alone for some epochs.</summary>
    private static IReadOnlyList<ParameterGroup> Groups(MaskedAutoencoder model, ObjectiveRun objective, MaePretrainOptions options, long stepsPerEpoch) =>
        [
            .. ParameterGroup.Of(model, options.WeightDecay),
            .. objective.Parameters.GroupBy(objective.FrozenEpochs).SelectMany(parameters => ParameterGroup.Of(parameters, options.WeightDecay)
                .Select(group => group with { FrozenSteps = parameters.Key * stepsPerEpoch })),
        ];

    /// <summary>Calls a hook of the objective in a dispose scope of its own.</summary>
    private static void InScope(Action hook)
    {
        using DisposeScope scope = NewDisposeScope();
        hook();
    }
}

/// <summary>What pretraining gave. Whoever asked for it disposes <see cref="Model"/>; <see cref="Encoder"/> shares its weights.</summary>
public sealed class MaePretrainResult
{
    internal MaePretrainResult(MaskedAutoencoder model, ImageEncoder encoder, Trainer trainer) =>
        (Model, Encoder, History, Elapsed, ImagesPerSecond) = (model, encoder, trainer.History, trainer.Elapsed, trainer.ImagesPerSecond);

    /// <summary>Encoder and decoder.</summary>
    public MaskedAutoencoder Model { get; }

    /// <summary>The encoder with its preprocessing, ready to embed images.</summary>
    public ImageEncoder Encoder { get; }

    /// <summary>Loss and speed of every epoch.</summary>
    public IReadOnlyList<EpochSummary> History { get; }

    /// <summary>Mean loss of the first epoch.</summary>
    public double FirstLoss => History[0].Loss;

    /// <summary>Mean loss of the last epoch.</summary>
    public double LastLoss => History[^1].Loss;

    /// <summary>Images trained on a second, over the steps since the run began or went on; 0 if none was left to do.</summary>
    public double ImagesPerSecond { get; }

    /// <summary>How long training took since it began or went on, decoding not included.</summary>
    public TimeSpan Elapsed { get; }
}
