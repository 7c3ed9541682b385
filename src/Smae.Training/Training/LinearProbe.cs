namespace Smae.Training;

/// <summary>
/// How a linear classifier is trained on a frozen encoder. The defaults are those of the SMAE paper: Adam at 1e-3, no weight decay, betas 0.9 and 0.95, 50
/// epochs. <see cref="TrainingOptions.Precision"/> has no meaning here: the encoder keeps its own, the classifier is float32.
/// </summary>
public sealed record LinearProbeOptions : SupervisedOptions
{
    /// <summary>Options with 50 epochs at 1e-3, no weight decay, betas 0.9 and 0.95.</summary>
    public LinearProbeOptions() : base(epochs: 50, learningRate: 1e-3, weightDecay: 0, beta2: 0.95)
    {
    }

    /// <summary>What trains the classifier. Default <see cref="ProbeOptimizer.Adam"/>.</summary>
    public ProbeOptimizer Optimizer { get; init; } = ProbeOptimizer.Adam;

    /// <summary>Whether batch normalisation without affine (epsilon 1e-6) stands before the classifier, as in facebookresearch/mae. Default false.</summary>
    public bool BatchNorm { get; init; }

    /// <summary>How tokens become one vector, after the encoder's final norm; null takes the encoder's own way. Default null.</summary>
    public Pooling? Pooling { get; init; }

    internal override IEnumerable<string> Faults()
    {
        foreach (string fault in base.Faults()) yield return fault;
        if (Mixing is not null) yield return "Mixing is set: a linear probe trains on embeddings, which are not mixed; leave it null.";
    }
}

/// <summary>What a linear probe is trained by.</summary>
public enum ProbeOptimizer
{
    /// <summary>Adam, as in the SMAE paper; with weight decay it is AdamW.</summary>
    Adam,

    /// <summary><see cref="Smae.Training.Lars"/>, as in facebookresearch/mae; <see cref="TrainingOptions.Beta1"/> is its momentum.</summary>
    Lars,
}

/// <summary>
/// Linear probing: how well a linear classifier on the embeddings of a frozen encoder tells classes apart. Without augmentation every image is embedded once.
/// </summary>
public static class LinearProbe
{
    private const double HeadStd = 0.01;   // of the classifier's first weights, as in facebookresearch/mae's main_linprobe.py
    private const int ImagesAtOnce = 128;   // a batch of embeddings may be far larger than one of images that memory holds

    /// <summary>Trains a classifier on embeddings.</summary>
    /// <param name="encoder">The encoder; nothing of it changes.</param>
    /// <param name="training">What is trained on: every class must have an image.</param>
    /// <param name="validation">What is looked at after an epoch, in evaluation mode and as a whole; null is nothing.</param>
    /// <param name="log">Given a line for people at the start and at each epoch's end.</param>
    /// <returns>The classifier, from embeddings, <c>[batch, EmbedDim]</c>, to logits, <c>[batch, classes]</c>, and the history of its training.</returns>
    /// <exception cref="ArgumentException">
    /// An option is wrong (the message names all that are), the images are of another size than the encoder's, a class has no image, or a label is none of the
    /// classes.
    /// </exception>
    /// <exception cref="NonFiniteLossException">The loss became infinite or not a number.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled through the options.</exception>
    public static SupervisedResult<nn.Module<Tensor, Tensor>> Run(
        ImageEncoder encoder, LabelledImages training, LabelledImages? validation, LinearProbeOptions options, Action<string>? log = null)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentNullException.ThrowIfNull(options);
        Ranks ranks = DataParallel.Connect(options.Distributed);
        return ranks.Together(() => Run(encoder, training, validation, options, log, ranks));
    }

    private static SupervisedResult<nn.Module<Tensor, Tensor>> Run(
        ImageEncoder encoder, LabelledImages training, LabelledImages? validation, LinearProbeOptions options, Action<string>? log, Ranks ranks)
    {
        int classes = SupervisedTraining.Check(training, validation, options, ranks);
        training.CheckSize(encoder.Preprocessing, nameof(training));
        validation?.CheckSize(encoder.Preprocessing, nameof(validation));
        CheckBatch(training, options);
        if (options.BatchNorm && ranks.AreSharded)
            throw new ArgumentException("BatchNorm makes its statistics of whole batches, which no rank has where DataParallel.Sharded is set.", nameof(options));
        Pooling pooling = options.Pooling ?? encoder.Pooling;
        if (pooling == Pooling.ClassToken && encoder.Model.Config.ClassToken == ClassToken.None)
            throw new ArgumentException("Pooling is ClassToken and the encoder has no class token.", nameof(options));
        return CreateHead(encoder.EmbedDim, classes, options).to(encoder.Device)
            .OrDispose(head => Train(head, encoder, pooling, classes, training, validation, options, log, ranks));
    }

    private static SupervisedResult<nn.Module<Tensor, Tensor>> Train(
        nn.Module<Tensor, Tensor> head, ImageEncoder encoder, Pooling pooling, int classes, LabelledImages training, LabelledImages? validation,
        LinearProbeOptions options, Action<string>? log, Ranks ranks)
    {
        Device device = encoder.Device;
        bool divides = !options.BatchNorm;   // its statistics are those of all images: ranks divide the embedding, and each trains on all embeddings
        Tensor Embedded(LabelledImages images) =>
            Embeddings.Of(encoder, images, pooling, ImagesAtOnce, ranks, ranks.AreSeveral ? default : options.CancellationToken);
        Tensor Pick(Tensor embeddings, ReadOnlySpan<long> images) => embeddings.index_select(0, tensor(images.ToArray()).Upload(device));
        using Tensor? seen = options.Augmentation is null ? Embedded(training) : null, unseen = validation is null ? null : Embedded(validation);
        using Optimizer optimizer = Optimizer(head, options);
        using var supervision = new Supervision(head, classes, training, validation, options, device);
        using Trainer trainer = supervision.Trainer(optimizer, () => Identity(encoder, pooling), log, ranks, divides);
        trainer.Recovering(() =>
        {
            foreach (TrainingEpoch epoch in trainer.Epochs(until: supervision.StopsEarly))
            {
                foreach (TrainingStep step in trainer.Steps(epoch))
                {
                    foreach (StepPart part in trainer.Parts(step))
                    {
                        supervision.Backward(part, of => seen is not null
                            ? Pick(seen, of.Images)
                            : Augmented(encoder, training.Images, of, pooling, options.Augmentation!, divides ? Ranks.Alone : ranks));
                    }
                    trainer.Update(step);
                }
                epoch.Validation = supervision.Validate(trainer, epoch, images => head.forward(Pick(unseen!, images)));
            }
        });
        return supervision.Finish(head, trainer);
    }

    private static void CheckBatch(LabelledImages training, LinearProbeOptions options)
    {
        long batch = Math.Min(options.BatchSize, training.Count);
        if (options.BatchNorm && batch / Math.Min(options.AccumulationSteps, batch) < 2)
            throw new ArgumentException(
                $"BatchNorm needs at least 2 images at a time: a batch of {batch} in {options.AccumulationSteps} parts has fewer.", nameof(options));
    }

    private static nn.Module<Tensor, Tensor> CreateHead(int inputs, int classes, LinearProbeOptions options)
    {
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator((ulong)RandomStream.Mix(options.Seed ?? 0, 2));
        nn.Module<Tensor, Tensor> head = ClassifierHead.Create(inputs, classes, options.BatchNorm, HeadStd, generator);
        head.DetachFromDisposeScopes();
        return head;
    }

    private static Optimizer Optimizer(nn.Module head, LinearProbeOptions options)
    {
        IReadOnlyList<ParameterGroup> groups = ParameterGroup.Of(head, options.WeightDecay);
        return options.Optimizer == ProbeOptimizer.Lars ? new Lars(groups, options.Beta1) : new AdamW(groups, options.Beta1, options.Beta2);
    }

    /// <param name="ranks">Who divide the images between them; all get the embeddings of all.</param>
    private static Tensor Augmented(ImageEncoder encoder, ImageStore images, StepPart part, Pooling pooling, Augmentation augmentation, Ranks ranks)
    {
        using DisposeScope scope = NewDisposeScope();
        RandomSequence[] random = part.RandomOfImages(RandomUse.Augmentation);
        Tensor embeddings = zeros([part.Count, encoder.EmbedDim], ScalarType.Float32, encoder.Device);
        (int begin, int end) = ranks.ShareOf(part.Count);
        for (int from = begin; from < end; from += ImagesAtOnce)
        {
            using DisposeScope some = NewDisposeScope();   // 16,384 images of 224x224 are 2.5 GB: none stays for longer than it is embedded
            int to = Math.Min(end, from + ImagesAtOnce);
            embeddings.narrow(0, from, to - from).copy_(encoder.Embed(images.Batch(part.Images[from..to]), pooling, augmentation, random[from..to]));
        }
        ranks.Sum(embeddings, "the embeddings");
        return embeddings.MoveToOuterDisposeScope();
    }

    private static string Identity(ImageEncoder encoder, Pooling pooling) => TensorHash.Of(
        ModelWeights.Of(encoder.Model),
        $"{encoder.Model.Config}|{encoder.Model.Precision}|{pooling}|{string.Join(',', encoder.Preprocessing.Mean)}|"
        + $"{string.Join(',', encoder.Preprocessing.StandardDeviation)}");
}
