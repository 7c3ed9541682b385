namespace Smae.Training;

/// <summary>
/// A classifier with all it needs to turn images into probabilities: preprocessing, names of the classes, device. Thread-safe; calls are run one after the
/// other, since each already uses all cores.
/// </summary>
public sealed class ImageClassifier : ImageModel
{
    /// <summary>Puts a classifier to use. It is switched to evaluation and disposed together with this object.</summary>
    /// <param name="model">The classifier, already on <paramref name="device"/>.</param>
    /// <param name="classNames">Names of the classes, as many as <paramref name="model"/> has; null is none.</param>
    /// <exception cref="ArgumentException">Classifier, preprocessing and names do not fit each other.</exception>
    public ImageClassifier(
        VisionTransformerClassifier model, ImagePreprocessing preprocessing, IReadOnlyList<string>? classNames = null, Device? device = null)
        : base(Checked(model, preprocessing, classNames), preprocessing, device) =>
        (Model, ClassNames) = (model, classNames is null ? null : [.. classNames]);

    /// <summary>The classifier.</summary>
    public VisionTransformerClassifier Model { get; }

    /// <summary>Names of the classes in the order of their labels; null if they have none.</summary>
    public IReadOnlyList<string>? ClassNames { get; }

    /// <summary>Number of classes.</summary>
    public int Classes => Model.Classes;

    /// <summary>Gives the probabilities of all classes for images.</summary>
    /// <param name="images">Their bytes one after the other, each <c>[height, width, channels]</c> of <see cref="ImageModel.Preprocessing"/>.</param>
    /// <param name="probabilities">Takes the probabilities one image after the other, <c>[count, Classes]</c>; those of an image sum to 1.</param>
    /// <exception cref="ArgumentException">A span is not of the length that <paramref name="count"/> asks for.</exception>
    public void Classify(ReadOnlySpan<byte> images, int count, Span<float> probabilities) =>
        Run(images, count, probabilities, Classes, pixels => Model.forward(pixels).softmax(-1));

    /// <summary>Measures the classifier on images with known classes.</summary>
    /// <param name="images">Images of the size of <see cref="ImageModel.Preprocessing"/> and their labels.</param>
    /// <param name="batchSize">Images at a time. Default 128.</param>
    /// <exception cref="ArgumentException">The images are of another size.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A label is none of the classes, or the batch is not positive.</exception>
    public Evaluation Evaluate(LabelledImages images, int batchSize = 128)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        images.CheckSize(Preprocessing, nameof(images));
        images.CheckLabels(Classes, nameof(images));
        return Evaluation.Of(block => Run(images.Images.Batch(block), Model.forward), images, batchSize, Device, Ranks.Alone);
    }

    /// <summary>
    /// Saves the weights as safetensors under timm's names and, beside them under the same name with <c>.json</c>, shape, preprocessing and names of the
    /// classes.
    /// </summary>
    /// <param name="path">The weights' file, for example <c>classifier.safetensors</c>.</param>
    /// <exception cref="ArgumentException">The path ends in <c>.json</c>.</exception>
    /// <exception cref="IOException">The files cannot be written; files that were there before are untouched.</exception>
    public void Save(string path) =>
        Locked(() => ModelDescription.Save(
            path, Model.Weights, new Description(Model.Config, Preprocessing, Model.Pooling, Model.HasBatchNorm, Classes, ClassNames)));

    /// <summary>Loads what <see cref="Save"/> wrote.</summary>
    /// <param name="device">Where to; null is the CPU.</param>
    /// <exception cref="FileNotFoundException">The weights or the JSON file beside them are not there.</exception>
    /// <exception cref="InvalidDataException">A file is damaged or the two do not fit each other; the message says where.</exception>
    public static ImageClassifier Load(string path, Device? device = null)
    {
        Description d = ModelDescription.Load<Description>(path, "a classifier");
        SafeTensorsFile file = SafeTensors.Open(path);
        return ModelDescription.Fitting(path, () =>
        {
            d.Encoder.Validate();
            ModelWeights.CheckShape(d.Encoder, file, ($"head.{(d.BatchNorm ? "1." : "")}weight", [d.Classes, d.Encoder.EmbedDim]));
            var model = new VisionTransformerClassifier(d.Encoder, d.Classes, d.Pooling, d.BatchNorm);
            return model.OrDispose(_ =>
            {
                ModelWeights.Load(model.Weights, file, _ => false);
                return new ImageClassifier(model.to(device ?? CPU), d.Preprocessing, d.ClassNames, device);
            });
        });
    }

    private static VisionTransformerClassifier Checked(
        VisionTransformerClassifier model, ImagePreprocessing preprocessing, IReadOnlyList<string>? classNames)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(preprocessing);
        List<string> faults = [.. preprocessing.Faults(), .. model.Config.SizeFaults("the classifier", preprocessing)];
        if (classNames is not null && classNames.Count != model.Classes)
            faults.Add($"There are {classNames.Count} class names: expected {model.Classes}.");
        Rules.Check(faults, nameof(model));
        return model;
    }

    /// <summary>What the JSON file holds.</summary>
    private sealed record Description(
        VisionTransformerConfig Encoder, ImagePreprocessing Preprocessing, Pooling Pooling, bool BatchNorm, int Classes,
        IReadOnlyList<string>? ClassNames);
}
