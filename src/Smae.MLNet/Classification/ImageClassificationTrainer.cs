using Microsoft.ML;
using Microsoft.ML.Runtime;
using Smae.Training;
using static System.FormattableString;

namespace Smae.MLNet;

/// <summary>Trains a classifier end to end on a column of images: what our trainers have in common.</summary>
/// <remarks>
/// <list type="table">
/// <item>
/// <term>Label column</term>
/// <description>Key&lt;UInt32&gt;, as <c>MapValueToKey</c> makes it; rows without a label are left out and counted in the log</description>
/// </item>
/// <item>
/// <term>Feature column</term>
/// <description>Image, Text (path of an image file) or Vector&lt;Byte&gt; (content of an image file); every image is decoded once</description>
/// </item>
/// <item><term>PredictedLabel</term><description>Key&lt;UInt32&gt; with the values of the label's keys</description></item>
/// <item><term>Score</term><description>Vector&lt;Single&gt;, the probabilities of all classes</description></item>
/// <item><term>Probability</term><description>Single, the probability of the predicted class</description></item>
/// </list>
/// <para>
/// The device is that of the <see cref="MLContext"/>: <see cref="MLContext.GpuDeviceId"/>, and the CPU where it is null. Where
/// <see cref="TrainingOptions.Seed"/> is null the seed comes from the <see cref="MLContext"/> too. Progress is written to
/// <see cref="MLContext.Log"/>. Labels of validation data may be keys made of the same values in another order, or the values themselves
/// where they are text.
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

    /// <exception cref="ArgumentException">A name is blank, or images of that many channels cannot be had.</exception>
    private protected ImageClassificationTrainer(
        IHostEnvironment environment, string name, TrainerInput input, SupervisedOptions options, ImagePreprocessing preprocessing)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(input.LabelColumnName, "labelColumnName");
        ArgumentException.ThrowIfNullOrWhiteSpace(input.FeatureColumnName, "featureColumnName");
        _environment = environment;
        _host = environment.Register(name);
        _input = input;
        _options = options;
        _decoders = new ImageDecoders(preprocessing);
    }

    /// <summary>The column of labels.</summary>
    public string LabelColumnName => _input.LabelColumnName;

    /// <summary>The column of images.</summary>
    public string FeatureColumnName => _input.FeatureColumnName;

    /// <summary>Reads the images and trains, with the validation data that the trainer was made with, if any.</summary>
    /// <param name="input">Data with labels and images.</param>
    /// <returns>A transformer that owns the trained weights: dispose it to free them.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it is of another type.</exception>
    /// <exception cref="ArgumentException">There is one class only, a class has no image, or the options do not fit the data.</exception>
    /// <exception cref="InvalidDataException">No image could be read, or one could not and that is to be an error.</exception>
    /// <exception cref="InvalidOperationException">The GPU that the <see cref="MLContext"/> asks for is not there.</exception>
    /// <exception cref="OperationCanceledException"><see cref="TrainingOptions.CancellationToken"/> was cancelled.</exception>
    public ImageClassificationTransformer<TModel> Fit(IDataView input) => Fit(input, _input.ValidationData);

    /// <summary>Reads the images and trains.</summary>
    /// <param name="trainData">Data with labels and images.</param>
    /// <param name="validationData">
    /// The same, looked at after an epoch: the best epoch's weights are kept and training can stop early, as the options say. Null is none.
    /// </param>
    /// <returns>A transformer that owns the trained weights: dispose it to free them.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it is of another type.</exception>
    /// <exception cref="ArgumentException">There is one class only, a class has no image, or the options do not fit the data.</exception>
    /// <exception cref="InvalidDataException">No image could be read, or one could not and that is to be an error.</exception>
    /// <exception cref="InvalidOperationException">The GPU that the <see cref="MLContext"/> asks for is not there.</exception>
    /// <exception cref="OperationCanceledException"><see cref="TrainingOptions.CancellationToken"/> was cancelled.</exception>
    public ImageClassificationTransformer<TModel> Fit(IDataView trainData, IDataView? validationData)
    {
        ArgumentNullException.ThrowIfNull(trainData);
        using var channel = _host.Start("Training");
        var (images, kind) = ImageColumn.Find(trainData.Schema, FeatureColumnName, "feature");
        var label = LabelColumn.Find(trainData.Schema, LabelColumnName);
        var classes = LabelClasses.Of(label);
        var validationLabels = validationData is null ? null : LabelReader.OfValidation(validationData.Schema, LabelColumnName, classes);
        Check(classes, validationData);
        var device = DeviceResolver.Resolve(_environment, channel);
        int seed = _options.Seed ?? _host.Rand.Next();
        Info(channel, $"Seed {seed}.");

        var loader = new ImageStoreLoader(_decoders, _input.BrokenImages, _host, channel, _options.CancellationToken, _options.ImageCache);
        var training = loader.Load(trainData, FeatureColumnName, LabelReader.OfKeys(label, classes), "training");
        using var trainingImages = training.Images;
        var validation = validationLabels is null ? null : loader.Load(validationData!, FeatureColumnName, validationLabels, "validation");
        using var validationImages = validation?.Images;

        var run = new TrainerRun(training, validation, _options.ClassNames ?? classes.Names, seed, device, message => Info(channel, message));
        var result = Train(run);
        Info(channel, Invariant($"Training took {result.Elapsed.TotalSeconds:0.0} s, {result.ImagesPerSecond:0} images/s."));
        if (result.Best is { } best)
            Info(channel, $"Best on the validation data: {best}.");
        var model = ModelOf(result, run);
        var scorer = new ImageScorer(_host, FeatureColumnName, model, ClassificationOutputs.For(classes))
        {
            Decoders = _decoders, BrokenImages = _input.BrokenImages, Consequence = "its score is NaN and its predicted label missing",
        };
        return new ImageClassificationTransformer<TModel>(
            scorer, new SavedChain(FeatureColumnName, kind, model), classes, result, LabelColumnName, images.Type);
    }

    /// <summary>The schema that the transformer will give.</summary>
    /// <param name="inputSchema">The shape of a schema with labels and images.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it is of another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        ImageColumn.Check(inputSchema, FeatureColumnName, "feature");
        return OutputShape.With(inputSchema, ClassificationOutputs.For(LabelClasses.Of(LabelColumn.Find(inputSchema, LabelColumnName))));
    }

    /// <summary>Trains.</summary>
    private protected abstract SupervisedResult<TModel> Train(TrainerRun run);

    /// <summary>What scores with the trained model: probabilities of the classes. Disposed with the transformer.</summary>
    private protected abstract ISavableModel ModelOf(SupervisedResult<TModel> result, TrainerRun run);

    private void Check(LabelClasses classes, IDataView? validationData)
    {
        if (validationData is not null)
            ImageColumn.Find(validationData.Schema, FeatureColumnName, "feature");
        if (classes.Count < 2)
        {
            throw new ArgumentException(
                $"Label column '{LabelColumnName}' has {classes.Count} class ('{classes.Names[0]}'): a classifier needs images of at least two.",
                "trainData");
        }
        if (_options.ClassNames is { } names && names.Count != classes.Count)
        {
            throw new ArgumentException(
                $"ClassNames has {names.Count} names, and label column '{LabelColumnName}' {classes.Count} classes. Leave it null: " +
                "the names come from the labels.", nameof(SupervisedOptions.ClassNames));
        }
        if (_options.Patience is not null && validationData is null)
        {
            throw new ArgumentException(
                "Patience is set, and there is no validation data to look at: give the trainer validationData, or call Fit(trainData, " +
                "validationData).", nameof(SupervisedOptions.Patience));
        }
    }

    private static void Info(IChannel channel, string message) => channel.Info(MessageSensitivity.None, message);
}
