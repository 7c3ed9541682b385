using TorchSharp;
using static System.FormattableString;

namespace Smae.MLNet;

/// <summary>Trains a classifier end to end on a column of images: what our trainers have in common.</summary>
/// <remarks>
/// <para>
/// The label column is a Key&lt;UInt32&gt;, as <c>MapValueToKey</c> makes it; rows without a label are left out and counted in the log. A class without a
/// readable image is named there, as long as two classes have some. The feature column holds images in any form: Image, Text (path of an image file) or
/// Vector&lt;Byte&gt; (content of an image file); every image is decoded once. The output columns are PredictedLabel (Key&lt;UInt32&gt; with the values
/// of the label's keys), Score (Vector&lt;Single&gt;, the probabilities of all classes) and Probability (Single, that of the predicted class).
/// </para>
/// <para>
/// The device is that of the <see cref="MLContext"/>: <see cref="MLContext.GpuDeviceId"/>, and the CPU where it is null. Where
/// <see cref="TrainingOptions.Seed"/> is null the seed comes from the <see cref="MLContext"/> too. Progress is written to <see cref="MLContext.Log"/>.
/// Labels of validation data may be keys made of the same values in another order, or the values themselves where they are text.
/// </para>
/// </remarks>
/// <typeparam name="TModel">The kind of model that is trained.</typeparam>
public abstract class ImageClassificationTrainer<TModel> : IEstimator<ImageClassificationTransformer<TModel>> where TModel : class, IDisposable
{
    private readonly IHostEnvironment _environment;
    private readonly IHost _host;
    private readonly TrainerInput _input;
    private readonly SupervisedOptions _options;
    private readonly ImageDecoders _decoders;
    private readonly BrokenImagePolicy _brokenImages;

    /// <exception cref="ArgumentException">A name is blank, an option is out of range, or images of that many channels cannot be had.</exception>
    private protected ImageClassificationTrainer(IHostEnvironment environment, TrainerInput input, SupervisedOptions options, ImagePreprocessing preprocessing)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(input.LabelColumnName, "labelColumnName");
        ArgumentException.ThrowIfNullOrWhiteSpace(input.FeatureColumnName, "featureColumnName");
        input.Reading.Validate();
        (_environment, _host) = (environment, environment.Register(GetType().Name));
        (_input, _options, _decoders) = (input, options, new ImageDecoders(preprocessing, input.Reading.MaxMegapixels));
        _brokenImages = input.Reading.BrokenImages ?? BrokenImagePolicy.Skip;
    }

    /// <summary>The column of labels.</summary>
    public string LabelColumnName => _input.LabelColumnName;

    /// <summary>The column of images.</summary>
    public string FeatureColumnName => _input.FeatureColumnName;

    /// <inheritdoc cref="Fit(IDataView, IDataView)"/>
    /// <summary>Reads the images and trains, with the validation data that the trainer was made with, if any.</summary>
    /// <param name="input">Data with labels and images.</param>
    public ImageClassificationTransformer<TModel> Fit(IDataView input) => Fit(input, _input.ValidationData);

    /// <summary>Reads the images and trains.</summary>
    /// <param name="trainData">Data with labels and images.</param>
    /// <param name="validationData">
    /// The same, looked at after an epoch: the best epoch's weights are kept and training can stop early, as the options say. Null is none.
    /// </param>
    /// <returns>A transformer that owns the trained weights: dispose it to free them.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it is of another type.</exception>
    /// <exception cref="ArgumentException">Only one class has images, or the options do not fit the data.</exception>
    /// <exception cref="InvalidDataException">No image could be read, or one could not and that is to be an error.</exception>
    /// <exception cref="InvalidOperationException">The GPU that the <see cref="MLContext"/> asks for is not there.</exception>
    /// <exception cref="OperationCanceledException"><see cref="TrainingOptions.CancellationToken"/> was cancelled.</exception>
    public ImageClassificationTransformer<TModel> Fit(IDataView trainData, IDataView? validationData)
    {
        ArgumentNullException.ThrowIfNull(trainData);
        using var channel = _host.Start("Training");
        var (images, kind) = ImageColumn.Find(trainData.Schema, FeatureColumnName, "feature");
        var label = LabelColumn.Find(trainData.Schema, LabelColumnName);
        var shards = _options.Distributed is { Sharded: true, Count: > 1 } ranks ? ranks : null;
        LabelClasses own = LabelClasses.Of(label), classes = shards is null ? own : own.OfAll(shards);
        var validationLabels = validationData is null ? null : LabelReader.OfValidation(validationData.Schema, LabelColumnName, classes);
        Check(classes, validationData);
        CheckModel();
        var device = CatalogEnvironment.Device(_environment, channel);
        int seed = _options.SeedFrom(_host);
        var log = _options.LogTo(channel);
        log($"Seed {seed}.");

        var loader = new ImageStoreLoader(_decoders, _brokenImages, _host, channel, _options.CancellationToken, _input.Reading.Cache, _options.Distributed);
        LabelReader labels = classes == own ? LabelReader.OfKeys(label, classes) : LabelReader.OfValidation(trainData.Schema, LabelColumnName, classes);
        var training = loader.Load(trainData, FeatureColumnName, labels, "training");
        using var trainingImages = training.Images;
        IEnumerable<int> lacking = training.MissingOf(classes.Count);
        if (shards is not null) lacking = shards.OfAll(lacking.ToArray()).Aggregate(lacking, (some, others) => some.Intersect(others));
        string[] missing = [.. lacking.Select(c => $"'{classes.Names[c]}'")];
        if (missing.Length > 0 && classes.Count - missing.Length >= 2 && _options.Distributed is not { IsFirst: false })
            channel.Warning(MessageSensitivity.UserData, $"{missing.Length} of {classes.Count} classes have no image to train on and are not learned: "
                + $"{string.Join(", ", missing.Take(10))}{(missing.Length > 10 ? ", ..." : "")}.");
        var validation = validationLabels is null ? null : loader.Load(validationData!, FeatureColumnName, validationLabels, "validation");
        using var validationImages = validation?.Images;

        var run = new TrainerRun(training, validation, _options.ClassNames ?? classes.Names, seed, device, log);
        var result = Train(run);
        log(Invariant($"Training took {result.Elapsed.TotalSeconds:0.0} s, {result.ImagesPerSecond:0} images/s."));
        if (result.Best is { } best) log($"Best on the validation data: {best}.");
        var scoring = new ImageScoring(
            _host, FeatureColumnName, kind, _decoders, ModelOf(result, run), ClassificationOutputs.For(classes), _brokenImages, ClassificationOutputs.OfBrokenImages);
        return new ImageClassificationTransformer<TModel>(scoring, classes, result, LabelColumnName, images.Type);
    }

    /// <summary>The schema that the transformer will give.</summary>
    /// <param name="inputSchema">The shape of a schema with labels and images.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it is of another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ImageColumn.Check(inputSchema, FeatureColumnName, "feature");
        return OutputShape.With(inputSchema, ClassificationOutputs.For(LabelClasses.Of(LabelColumn.Find(inputSchema, LabelColumnName))));
    }

    /// <summary>Refuses what the images have no part in, before time is spent on them.</summary>
    private protected virtual void CheckModel() { }

    private protected abstract SupervisedResult<TModel> Train(TrainerRun run);

    /// <summary>What scores with the trained model, disposed with the transformer.</summary>
    private protected abstract ImageModel ModelOf(SupervisedResult<TModel> result, TrainerRun run);

    private void Check(LabelClasses classes, IDataView? validationData)
    {
        if (validationData is not null) ImageColumn.Find(validationData.Schema, FeatureColumnName, "feature");
        if (classes.Count < 2)
            throw new ArgumentException(
                $"Label column '{LabelColumnName}' has {classes.Count} class{(classes.HaveValues ? $" ('{classes.Names[0]}')" : ", as data without rows has")}: "
                + "a classifier needs images of at least two.", "trainData");
        if (_options.ClassNames is { } names && names.Count != classes.Count)
            throw new ArgumentException(
                $"ClassNames has {names.Count} names, and label column '{LabelColumnName}' {classes.Count} classes. Leave it null: " +
                "the names come from the labels.", nameof(SupervisedOptions.ClassNames));
        if (_options.Patience is not null && validationData is null)
            throw new ArgumentException(
                "Patience is set, and there is no validation data to look at: give the trainer validationData, or call Fit(trainData, validationData).",
                nameof(SupervisedOptions.Patience));
    }
}

/// <summary>What a trainer of classifiers reads.</summary>
internal sealed record TrainerInput(string LabelColumnName, string FeatureColumnName, IDataView? ValidationData, ImageReadOptions? Reading)
{
    public ImageReadOptions Reading { get; } = Reading ?? new ImageReadOptions();
}

/// <summary>What one call of a trainer's <c>Fit</c> trains on.</summary>
internal sealed record TrainerRun(
    LabelledImages Training, LabelledImages? Validation, IReadOnlyList<string> ClassNames, int Seed, torch.Device? Device, Action<string> Log);

/// <summary>
/// Classifies images: what the trainers <c>VisionTransformer</c>, <c>LinearProbe</c> and <c>SqueezeNet</c> make. It adds <c>PredictedLabel</c> (the
/// key of the likeliest class), <c>Score</c> (the probabilities of all classes) and <c>Probability</c> (that of the predicted class).
/// </summary>
/// <remarks>
/// <para>Where an image cannot be read the predicted label is missing. A saved model gives <c>PredictedLabel</c> and <c>Score</c>.</para>
/// <inheritdoc/>
/// </remarks>
/// <typeparam name="TModel">The kind of model.</typeparam>
public sealed class ImageClassificationTransformer<TModel> : ImageTransformer, ISingleFeaturePredictionTransformer<TModel> where TModel : class, IDisposable
{
    private readonly LabelClasses _classes;

    internal ImageClassificationTransformer(
        ImageScoring scoring, LabelClasses classes, SupervisedResult<TModel> training, string labelColumnName, DataViewType featureColumnType) : base(scoring) =>
        (_classes, Training, LabelColumnName, FeatureColumnType) = (classes, training, labelColumnName, featureColumnType);

    /// <summary>The trained model, disposed with this transformer. Save it with its own <c>Save(path)</c>.</summary>
    public TModel Model => Training.Model;

    /// <summary>How training went: every epoch's loss and validation, the best epoch, speed.</summary>
    public SupervisedResult<TModel> Training { get; }

    /// <summary>The column of images.</summary>
    public string FeatureColumnName => InputColumnName;

    /// <summary>The type that the column of images had in training; scoring takes images in any form.</summary>
    public DataViewType FeatureColumnType { get; }

    /// <summary>The column of labels that it was trained on; scoring does not need it.</summary>
    public string LabelColumnName { get; }

    private protected override void Save(SavedChain chain, ModelSaveContext context) => chain.SaveClasses(context, _classes);
}
