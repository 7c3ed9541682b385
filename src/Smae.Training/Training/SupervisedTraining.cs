using System.ComponentModel.DataAnnotations;

namespace Smae.Training;

/// <summary>Training of any model on images with labels. <see cref="FineTuning"/> and <see cref="CriticTraining"/> make the model too.</summary>
public static class SupervisedTraining
{
    /// <summary>Trains a model as it is, in place.</summary>
    /// <param name="model">
    /// From normalised images, <c>[batch, channels, height, width]</c>, to logits, <c>[batch, classes]</c>; already on <paramref name="device"/>.
    /// Dropout of a module that is not one of this library's draws from libtorch's own random numbers, and a run with it does not repeat bit for bit.
    /// </param>
    /// <param name="training">What is trained on: every class must have an image.</param>
    /// <param name="validation">What is looked at after an epoch; null is nothing.</param>
    /// <param name="device">Where; null is the CPU.</param>
    /// <param name="log">Given a line for people at the start and at each epoch's end.</param>
    /// <returns>The model and the history of its training; whoever made the model disposes it.</returns>
    /// <exception cref="ArgumentException">
    /// An option is wrong (the message names all that are), the images are of another size, a class has no image, or a label is none of the classes.
    /// </exception>
    /// <exception cref="InvalidOperationException">The model gives something other than logits for as many classes.</exception>
    /// <exception cref="NonFiniteLossException">The loss became infinite or not a number.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled through the options.</exception>
    public static SupervisedResult<nn.Module<Tensor, Tensor>> Run(
        nn.Module<Tensor, Tensor> model, ImagePreprocessing preprocessing, LabelledImages training, LabelledImages? validation,
        SupervisedOptions options, Device? device = null, Action<string>? log = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(preprocessing);
        ArgumentNullException.ThrowIfNull(options);
        Rules.Check(preprocessing.Faults(), nameof(preprocessing));
        Ranks ranks = DataParallel.Connect(options.Distributed);
        return ranks.Together(() =>
        {
            int classes = Check(training, validation, options, ranks);
            return Train(model, ParameterGroup.Of(model, options.WeightDecay), preprocessing, classes, training, validation, options, device, log, ranks);
        });
    }

    /// <summary>Checks options and labels, and counts the classes.</summary>
    internal static int Check(LabelledImages training, LabelledImages? validation, SupervisedOptions options, Ranks ranks)
    {
        ArgumentNullException.ThrowIfNull(training);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (options.Patience is not null && validation is null)
            throw new ArgumentException("Patience is set and there are no validation images to look at.", nameof(options));
        ranks.FindShards(() => training.ContentHash(brief: true) + validation?.ContentHash(brief: true));
        int classes = options.ClassNames?.Count ?? Math.Max(2, ranks.OfAll(training.ClassCount, "the classes of all shards").Max());
        training.CheckLabels(classes, nameof(training));
        int[] missing = [.. ranks.OfAll(training.MissingOf(classes), "the classes that each shard lacks").Aggregate((some, others) => some.Intersect(others))];
        training.CheckEveryClass(missing, classes, options.ClassNames, nameof(training));
        validation?.CheckLabels(classes, nameof(validation));
        return classes;
    }

    /// <summary>Trains a model of images after <see cref="Check"/>.</summary>
    internal static SupervisedResult<TModel> Train<TModel>(
        TModel model, IReadOnlyList<ParameterGroup> groups, ImagePreprocessing preprocessing, int classes,
        LabelledImages training, LabelledImages? validation, SupervisedOptions options, Device? device, Action<string>? log, Ranks ranks)
        where TModel : nn.Module<Tensor, Tensor>
    {
        training.CheckSize(preprocessing, nameof(training));
        validation?.CheckSize(preprocessing, nameof(validation));
        device ??= CPU;
        using var normalizer = new ImageNormalizer(preprocessing, device);
        using var optimizer = new AdamW(groups, options.Beta1, options.Beta2);
        using var supervision = new Supervision(model, classes, training, validation, options, device);
        using Trainer trainer = supervision.Trainer(
            optimizer, () => $"{string.Join(',', preprocessing.Mean)}|{string.Join(',', preprocessing.StandardDeviation)}", log, ranks);
        trainer.Recovering(() =>
        {
            foreach (TrainingEpoch epoch in trainer.Epochs(until: supervision.StopsEarly))
            {
                foreach (TrainingStep step in trainer.Steps(epoch))
                {
                    foreach (StepPart part in trainer.Parts(step))
                    {
                        supervision.Backward(part, of => normalizer.Normalize(
                            training.Images.Batch(of.Images), options.Augmentation, of.RandomOfImages(RandomUse.Augmentation)));
                    }
                    trainer.Update(step);
                }
                epoch.Validation = supervision.Validate(
                    trainer, epoch, images => model.forward(normalizer.Normalize(validation!.Images.Batch(images))));
            }
        });
        return supervision.Finish(model, trainer);
    }
}

/// <summary>
/// How a model is trained on images with labels. The defaults are those of the SMAE paper's fine-tuning on Tiny ImageNet (AdamW at 1e-3, 100 epochs, 5 of them
/// warm-up), without its augmentation.
/// </summary>
public record SupervisedOptions : TrainingOptions
{
    /// <summary>Options with 100 epochs at 1e-3, weight decay 0.05, betas 0.9 and 0.999.</summary>
    public SupervisedOptions() : base(epochs: 100, learningRate: 1e-3, weightDecay: 0.05, beta2: 0.999)
    {
    }

    private protected SupervisedOptions(int epochs, double learningRate, double weightDecay, double beta2)
        : base(epochs, learningRate, weightDecay, beta2)
    {
    }

    /// <summary>What of a label is spread over all classes. Default 0. MAE fine-tunes with 0.1.</summary>
    [Range(0, 1.0, MaximumIsExclusive = true)] public double LabelSmoothing { get; init; }

    /// <summary>How images of a batch and their labels are mixed, for example <c>new MixupOrCutmix(0.8, 1)</c> as in MAE. Default null: not at all.</summary>
    public LabelMixing? Mixing { get; init; }

    /// <summary>Names of all classes in the order of their labels. Default null: as many as the training images' labels say, without names.</summary>
    public IReadOnlyList<string>? ClassNames { get; init; }

    /// <summary>Epochs between two looks at the validation images; the last epoch is always looked at. Default 1.</summary>
    [Range(1, int.MaxValue)] public int ValidateEvery { get; init; } = 1;

    /// <summary>
    /// Whether the weights of the epoch that did best on the validation images (highest top-1, then lowest loss, then the earlier) are the result. Default
    /// true. Else it is those of the last epoch, as in the papers. Without validation images it makes no difference.
    /// </summary>
    public bool KeepBest { get; init; } = true;

    /// <summary>Looks at the validation images without a new best after which the run ends. Default null: it goes on to the last epoch.</summary>
    [Range(1, int.MaxValue)] public int? Patience { get; init; }

    internal override IEnumerable<(string Name, string Value)> Settings => base.Settings.Where(s => s.Name != nameof(ClassNames));

    internal override IEnumerable<string> Faults()
    {
        foreach (string fault in base.Faults()) yield return fault;
        if (ClassNames is { Count: < 2 }) yield return $"ClassNames has {ClassNames.Count} names: expected at least 2.";
    }
}

/// <summary>What training on labels gave. Whoever asked for it disposes <see cref="Model"/>.</summary>
public sealed class SupervisedResult<TModel> where TModel : IDisposable
{
    internal SupervisedResult(TModel model, IReadOnlyList<EpochSummary> history, EpochSummary? best, TimeSpan elapsed, double imagesPerSecond) =>
        (Model, History, Best, Elapsed, ImagesPerSecond) = (model, history, best, elapsed, imagesPerSecond);

    /// <summary>The same of what the model has become part of.</summary>
    internal SupervisedResult<TOther> With<TOther>(TOther model) where TOther : IDisposable => new(model, History, Best, Elapsed, ImagesPerSecond);

    /// <summary>The trained model, in evaluation mode.</summary>
    public TModel Model { get; }

    /// <summary>Loss and speed of every epoch, and how the model did on the validation images.</summary>
    public IReadOnlyList<EpochSummary> History { get; }

    /// <summary>The epoch that did best on the validation images; null without them.</summary>
    public EpochSummary? Best { get; }

    /// <summary>How long training took since it began or went on, evaluation included, decoding not.</summary>
    public TimeSpan Elapsed { get; }

    /// <summary>Images trained on a second, over the steps since the run began or went on; 0 if none was left to do.</summary>
    public double ImagesPerSecond { get; }
}
