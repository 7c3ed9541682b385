using Trainers = Microsoft.ML.MulticlassClassificationCatalog.MulticlassClassificationTrainers;

namespace Smae.MLNet;

/// <summary>Trainers of classifiers that learn from images themselves: extensions of <c>mlContext.MulticlassClassification.Trainers</c>.</summary>
public static class ImageClassificationCatalog
{
    private const string DefaultLabel = "Label", DefaultFeatures = "Features";

    /// <summary>Trains a vision transformer end to end, with all options: from a pretrained encoder or from scratch.</summary>
    /// <param name="labelColumnName">The column of labels: Key&lt;UInt32&gt;, as <c>MapValueToKey</c> makes it.</param>
    /// <param name="featureColumnName">The column of images: Image, Text (paths) or Vector&lt;Byte&gt; (encoded files).</param>
    /// <param name="options">
    /// What to train and how; null, the default, takes every option's default. <see cref="FineTuneOptions.Encoder"/> or
    /// <see cref="FineTuneOptions.EncoderWeights"/> is what training begins with; without either it begins with random weights.
    /// </param>
    /// <param name="validationData">
    /// Data that is looked at after every epoch, with the same two columns: by default the best epoch's weights are kept. Labels may be keys or, where the
    /// training data's keys were made of text, that text. Null, the default, is none.
    /// </param>
    /// <param name="reading">What happens with images that cannot be read, and where decoded images lie; null, the default, takes every default.</param>
    /// <exception cref="ArgumentException">A name is blank, or an option is out of range; the message names every one that is.</exception>
    /// <exception cref="FileNotFoundException"><see cref="FineTuneOptions.EncoderWeights"/> is not there.</exception>
    public static VisionTransformerTrainer VisionTransformer(
        this Trainers catalog, string labelColumnName = DefaultLabel, string featureColumnName = DefaultFeatures, FineTuneOptions? options = null,
        IDataView? validationData = null, ImageReadOptions? reading = null) =>
        new(CatalogEnvironment.Of(catalog), new TrainerInput(labelColumnName, featureColumnName, validationData, reading),
            options ?? new FineTuneOptions());

    /// <inheritdoc cref="VisionTransformer(Trainers, string, string, FineTuneOptions, IDataView, ImageReadOptions)"/>
    /// <summary>Fine-tunes a pretrained encoder end to end.</summary>
    /// <param name="encoder">The encoder, for example <see cref="MaeTransformer.Encoder"/>. Its weights are copied, never changed.</param>
    /// <param name="epochs">How often training goes over all images. Default 100.</param>
    public static VisionTransformerTrainer VisionTransformer(
        this Trainers catalog, string labelColumnName, string featureColumnName, ImageEncoder encoder, int epochs = 100,
        IDataView? validationData = null)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        var options = new FineTuneOptions { Encoder = encoder, Epochs = epochs };
        return catalog.VisionTransformer(labelColumnName, featureColumnName, options, validationData);
    }

    /// <inheritdoc cref="VisionTransformer(Trainers, string, string, FineTuneOptions, IDataView, ImageReadOptions)" path="/param"/>
    /// <summary>Trains a linear classifier on the embeddings of a frozen encoder, which stays as it is.</summary>
    /// <param name="encoder">The encoder. It stays the caller's and must live as long as the transformer; its device is used.</param>
    /// <param name="options">How; null, the default, takes every option's default.</param>
    /// <exception cref="ArgumentException">A name is blank, or an option is out of range; the message names every one that is.</exception>
    public static LinearProbeTrainer LinearProbe(
        this Trainers catalog, string labelColumnName, string featureColumnName, ImageEncoder encoder, LinearProbeOptions? options = null,
        IDataView? validationData = null, ImageReadOptions? reading = null)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        return new LinearProbeTrainer(
            CatalogEnvironment.Of(catalog), new TrainerInput(labelColumnName, featureColumnName, validationData, reading), encoder,
            options ?? new LinearProbeOptions());
    }

    /// <inheritdoc cref="SqueezeNet(Trainers, string, string, ImagePreprocessing, SupervisedOptions, IDataView, ImageReadOptions)"/>
    /// <summary>Trains a SqueezeNet v1.1 from scratch, the critic of SMAE, on square images of three channels.</summary>
    /// <param name="imageSize">Height and width, in pixels, that images are brought to; at least 21. Default 64.</param>
    /// <param name="epochs">How often training goes over all images. Default 100.</param>
    public static SqueezeNetTrainer SqueezeNet(
        this Trainers catalog, string labelColumnName = DefaultLabel, string featureColumnName = DefaultFeatures, int imageSize = 64,
        int epochs = 100, IDataView? validationData = null) =>
        catalog.SqueezeNet(
            labelColumnName, featureColumnName, new ImagePreprocessing { Height = imageSize, Width = imageSize },
            new SupervisedOptions { Epochs = epochs }, validationData);

    /// <inheritdoc cref="VisionTransformer(Trainers, string, string, FineTuneOptions, IDataView, ImageReadOptions)" path="/param"/>
    /// <summary>Trains a SqueezeNet v1.1 from scratch, the critic of SMAE, with all options.</summary>
    /// <param name="preprocessing">
    /// What is done to images first. A critic sees images as the pretraining that it serves normalises them: take
    /// <see cref="MaePretrainOptions.Preprocessing"/> of the options that it will be used with.
    /// </param>
    /// <param name="options">How; null, the default, takes every option's default. <see cref="Recipes.SmaeCritic"/> is the paper's recipe.</param>
    /// <exception cref="ArgumentException">A name is blank, or an option is out of range; the message names every one that is.</exception>
    public static SqueezeNetTrainer SqueezeNet(
        this Trainers catalog, string labelColumnName, string featureColumnName, ImagePreprocessing preprocessing,
        SupervisedOptions? options = null, IDataView? validationData = null, ImageReadOptions? reading = null)
    {
        ArgumentNullException.ThrowIfNull(preprocessing);
        return new SqueezeNetTrainer(
            CatalogEnvironment.Of(catalog), new TrainerInput(labelColumnName, featureColumnName, validationData, reading), preprocessing,
            options ?? new SupervisedOptions());
    }
}
