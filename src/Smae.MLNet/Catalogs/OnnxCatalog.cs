using Smae.Export;

namespace Smae.MLNet;

/// <summary>Exported models in ML.NET pipelines, run in batches by ONNX Runtime: extensions of <see cref="MLContext.Transforms"/>.</summary>
public static class OnnxCatalog
{
    private const int DefaultBatchSize = ImageScoring.DefaultBatchSize;

    /// <summary>Adds a column of embeddings that an encoder's ONNX file makes, with all options.</summary>
    /// <param name="outputColumnName">The column of embeddings to add: <c>Vector&lt;Single&gt;</c> of the encoder's width.</param>
    /// <param name="inputColumnName">The column of images: Image, Text (paths) or Vector&lt;Byte&gt; (encoded files). Null is the output's name.</param>
    /// <param name="modelFile">A file that <see cref="OnnxExport"/> wrote of an encoder.</param>
    /// <param name="options">
    /// How it is run. Null takes every option's default, on the device that <see cref="MLContext.GpuDeviceId"/> and <see cref="MLContext.FallbackToCpu"/> name
    /// when the transformer is made.
    /// </param>
    /// <param name="brokenImages">What to do with an image that cannot be read. By default its embedding is NaN, with a warning.</param>
    /// <param name="errorColumnName">
    /// A column to add that tells why an image could not be read: text, empty for a good one. Default null: none. A saved model does not have it.
    /// </param>
    /// <exception cref="ArgumentException">
    /// A name is blank, the file holds another kind of model, or an option is out of range; the message names every one that is.
    /// </exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is not an ONNX file, it is damaged, or it is not from Smae.</exception>
    public static OnnxEmbeddingEstimator OnnxEmbedding(
        this TransformsCatalog catalog, string outputColumnName, string? inputColumnName, string modelFile, OnnxScoringOptions? options,
        BrokenImagePolicy brokenImages = BrokenImagePolicy.Skip, string? errorColumnName = null) =>
        new(CatalogEnvironment.Of(catalog), outputColumnName, ImageColumn.InputOr(outputColumnName, inputColumnName),
            new OnnxFile(modelFile, OnnxModelKind.Encoder, options), brokenImages, errorColumnName);

    /// <inheritdoc cref="OnnxEmbedding(TransformsCatalog, string, string, string, OnnxScoringOptions, BrokenImagePolicy, string)"/>
    /// <summary>
    /// Adds a column of embeddings that an encoder's ONNX file makes, on the device that <see cref="MLContext.GpuDeviceId"/> and
    /// <see cref="MLContext.FallbackToCpu"/> name when the transformer is made.
    /// </summary>
    /// <param name="batchSize">The most rows that are run together. Default 64.</param>
    public static OnnxEmbeddingEstimator OnnxEmbedding(
        this TransformsCatalog catalog, string outputColumnName, string? inputColumnName, string modelFile, int batchSize = DefaultBatchSize,
        BrokenImagePolicy brokenImages = BrokenImagePolicy.Skip, string? errorColumnName = null) =>
        new(CatalogEnvironment.Of(catalog), outputColumnName, ImageColumn.InputOr(outputColumnName, inputColumnName),
            new OnnxFile(modelFile, OnnxModelKind.Encoder, null, batchSize), brokenImages, errorColumnName);

    /// <inheritdoc cref="OnnxEmbedding(TransformsCatalog, string, string, string, OnnxScoringOptions, BrokenImagePolicy, string)"/>
    /// <summary>
    /// Classifies images with a classifier's ONNX file, with all options: adds <c>PredictedLabel</c>, a key of the names of the classes, <c>Score</c>, the
    /// probabilities of all classes, and <c>Probability</c>, that of the predicted class.
    /// </summary>
    /// <param name="inputColumnName">The column of images: Image, Text (paths) or Vector&lt;Byte&gt; (encoded files).</param>
    /// <param name="modelFile">A file that <see cref="OnnxExport"/> wrote of a classifier.</param>
    /// <param name="brokenImages">What to do with an image that cannot be read. By default its score is NaN, with a warning.</param>
    public static OnnxClassificationEstimator OnnxClassification(
        this TransformsCatalog catalog, string inputColumnName, string modelFile, OnnxScoringOptions? options,
        BrokenImagePolicy brokenImages = BrokenImagePolicy.Skip) =>
        new(CatalogEnvironment.Of(catalog), inputColumnName, new OnnxFile(modelFile, OnnxModelKind.Classifier, options), brokenImages);

    /// <inheritdoc cref="OnnxClassification(TransformsCatalog, string, string, OnnxScoringOptions, BrokenImagePolicy)"/>
    /// <summary>
    /// Classifies images with a classifier's ONNX file, on the device that <see cref="MLContext.GpuDeviceId"/> and <see cref="MLContext.FallbackToCpu"/> name
    /// when the transformer is made.
    /// </summary>
    /// <param name="batchSize">The most rows that are run together. Default 64.</param>
    public static OnnxClassificationEstimator OnnxClassification(
        this TransformsCatalog catalog, string inputColumnName, string modelFile, int batchSize = DefaultBatchSize,
        BrokenImagePolicy brokenImages = BrokenImagePolicy.Skip) =>
        new(CatalogEnvironment.Of(catalog), inputColumnName, new OnnxFile(modelFile, OnnxModelKind.Classifier, null, batchSize), brokenImages);
}
