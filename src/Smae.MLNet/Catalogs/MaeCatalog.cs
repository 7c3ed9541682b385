namespace Smae.MLNet;

/// <summary>Masked autoencoders in ML.NET pipelines: extensions of <see cref="MLContext.Transforms"/>.</summary>
public static class MaeCatalog
{
    /// <summary>Pretrains a vision transformer on images without labels, with all options, then adds a column of their embeddings.</summary>
    /// <param name="outputColumnName">The column of embeddings to add: <c>Vector&lt;Single&gt;</c> of the encoder's width.</param>
    /// <param name="inputColumnName">
    /// The column of images: Image, Text (paths) or Vector&lt;Byte&gt; (encoded files). Null, the default, is the output's name.
    /// </param>
    /// <param name="options">What to train and how; null, the default, takes every option's default.</param>
    /// <param name="reading">What happens with images that cannot be read, and where decoded images lie; null, the default, takes every default.</param>
    /// <exception cref="ArgumentException">A name is blank, or an option is out of range; the message names every one that is.</exception>
    public static MaePretrainEstimator MaePretrain(
        this TransformsCatalog catalog, string outputColumnName, string? inputColumnName = null, MaePretrainOptions? options = null,
        ImageReadOptions? reading = null) =>
        new(CatalogEnvironment.Of(catalog), outputColumnName, ImageColumn.InputOr(outputColumnName, inputColumnName),
            options ?? new MaePretrainOptions(), reading ?? new ImageReadOptions());

    /// <inheritdoc cref="MaePretrain(TransformsCatalog, string, string, MaePretrainOptions, ImageReadOptions)"/>
    /// <summary>Pretrains a vision transformer on images without labels, then adds a column of their embeddings.</summary>
    /// <param name="epochs">How often training goes over all images.</param>
    /// <param name="imageSize">Height and width, in pixels, that images are brought to; a multiple of <paramref name="patchSize"/>. Default 64.</param>
    /// <param name="patchSize">Height and width of a patch in pixels. Default 4.</param>
    /// <param name="maskRatio">The share of the patches that is hidden, between 0 and 1, both excluded. Default 0.75.</param>
    public static MaePretrainEstimator MaePretrain(
        this TransformsCatalog catalog, string outputColumnName, string? inputColumnName, int epochs, int imageSize = 64, int patchSize = 4,
        double maskRatio = 0.75) =>
        catalog.MaePretrain(outputColumnName, inputColumnName, new MaePretrainOptions
        {
            Encoder = VisionTransformerConfig.VitLite7_4.ForImages(imageSize, patchSize),
            Masking = Masking.Random(maskRatio),
            Epochs = epochs,
        });

    /// <summary>Adds a column of embeddings made by an encoder that is trained already.</summary>
    /// <param name="outputColumnName">The column of embeddings to add: <c>Vector&lt;Single&gt;</c> of the encoder's width.</param>
    /// <param name="inputColumnName">The column of images: Image, Text (paths) or Vector&lt;Byte&gt; (encoded files). Null is the output's name.</param>
    /// <param name="encoder">The encoder. It stays the caller's: no transformer disposes it.</param>
    /// <param name="brokenImages">What to do with an image that cannot be read. By default its embedding is NaN, with a warning.</param>
    /// <param name="errorColumnName">
    /// A column to add that tells why an image could not be read: text, empty for a good one. Default null: none. A saved model does not have it.
    /// </param>
    /// <param name="batchSize">The most rows that are embedded together. Default 64.</param>
    /// <exception cref="ArgumentException">A name is blank, or the batch size is less than 1.</exception>
    public static MaeEmbeddingEstimator MaeEmbedding(
        this TransformsCatalog catalog, string outputColumnName, string? inputColumnName, ImageEncoder encoder,
        BrokenImagePolicy brokenImages = BrokenImagePolicy.Skip, string? errorColumnName = null,
        int batchSize = ImageScoring.DefaultBatchSize)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        return new MaeEmbeddingEstimator(
            CatalogEnvironment.Of(catalog), outputColumnName, ImageColumn.InputOr(outputColumnName, inputColumnName), encoder, brokenImages,
            errorColumnName, batchSize);
    }

    /// <inheritdoc cref="MaeEmbedding(TransformsCatalog, string, string, ImageEncoder, BrokenImagePolicy, string, int)"/>
    /// <summary>Adds a column of embeddings made by an encoder read from a file, on the device of the <see cref="MLContext"/>.</summary>
    /// <param name="encoderPath">A file or folder as <see cref="ImageEncoder.Load"/> takes it. It is read at once.</param>
    /// <exception cref="InvalidOperationException">The GPU that the <see cref="MLContext"/> asks for is not there.</exception>
    public static MaeEmbeddingEstimator MaeEmbedding(
        this TransformsCatalog catalog, string outputColumnName, string? inputColumnName, string encoderPath,
        BrokenImagePolicy brokenImages = BrokenImagePolicy.Skip, string? errorColumnName = null,
        int batchSize = ImageScoring.DefaultBatchSize)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(encoderPath);
        var environment = CatalogEnvironment.Of(catalog);
        using var channel = environment.Start(nameof(MaeEmbedding));
        var encoder = ImageEncoder.Load(encoderPath, CatalogEnvironment.Device(environment, channel));
        return catalog.MaeEmbedding(outputColumnName, inputColumnName, encoder, brokenImages, errorColumnName, batchSize);
    }

    /// <inheritdoc cref="MaeEmbedding(TransformsCatalog, string, string, ImageEncoder, BrokenImagePolicy, string, int)"/>
    /// <summary>Adds a column of embeddings for each of several columns of images, all made by one encoder.</summary>
    /// <param name="columns">
    /// Pairs of the column of embeddings to add and the column of images: Image, Text (paths) or Vector&lt;Byte&gt; (encoded files).
    /// </param>
    /// <returns>A chain with an estimator for each pair.</returns>
    /// <exception cref="ArgumentException">There is no pair.</exception>
    public static EstimatorChain<MaeTransformer> MaeEmbedding(
        this TransformsCatalog catalog, InputOutputColumnPair[] columns, ImageEncoder encoder,
        BrokenImagePolicy brokenImages = BrokenImagePolicy.Skip)
    {
        ArgumentNullException.ThrowIfNull(columns);
        if (columns.Length == 0) throw new ArgumentException("There is no pair of columns: expected at least one.", nameof(columns));
        return columns.Aggregate(new EstimatorChain<MaeTransformer>(), (chain, pair) =>
            chain.Append(catalog.MaeEmbedding(pair.OutputColumnName, pair.InputColumnName, encoder, brokenImages)));
    }

    /// <summary>Adds a column of pictures that show what a pretrained autoencoder makes of images of which it sees a part.</summary>
    /// <param name="outputColumnName">The column of pictures to add: Image.</param>
    /// <param name="inputColumnName">The column of images: Image, Text (paths) or Vector&lt;Byte&gt; (encoded files). Null is the output's name.</param>
    /// <param name="transformer">What <c>MaePretrain</c> made. It stays the caller's and must live as long as pictures are made.</param>
    /// <param name="options">What is shown and how patches are hidden; null, the default, hides them as pretraining did.</param>
    /// <exception cref="ArgumentException">A name is blank, an option is wrong, or the transformer holds an encoder only.</exception>
    public static MaeReconstructEstimator MaeReconstruct(
        this TransformsCatalog catalog, string outputColumnName, string? inputColumnName, MaeTransformer transformer,
        MaeReconstructOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(transformer);
        if (transformer.Pretraining is not { } pretraining)
            throw new ArgumentException(
                "The transformer holds an encoder only, and pictures need the decoder too: give the transformer that MaePretrain(...).Fit made, " +
                "or a MaskedAutoencoder.", nameof(transformer));
        var trained = transformer.PretrainingOptions!;
        options ??= new MaeReconstructOptions();
        return catalog.MaeReconstruct(outputColumnName, inputColumnName, pretraining.Model, options with
        {
            Masking = options.Masking ?? trained.Masking, Objective = options.Objective ?? trained.Objective,
            Preprocessing = options.Preprocessing ?? trained.Preprocessing,
        });
    }

    /// <inheritdoc cref="MaeReconstruct(TransformsCatalog, string, string, MaeTransformer, MaeReconstructOptions)"/>
    /// <param name="autoencoder">
    /// The autoencoder, for example one that <see cref="ModelWeights"/> loaded. It is switched to evaluation, stays the caller's and must live as long as
    /// pictures are made.
    /// </param>
    /// <param name="options">What is shown and how patches are hidden; null, the default, takes every option's default.</param>
    public static MaeReconstructEstimator MaeReconstruct(
        this TransformsCatalog catalog, string outputColumnName, string? inputColumnName, MaskedAutoencoder autoencoder,
        MaeReconstructOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(autoencoder);
        return new MaeReconstructEstimator(
            CatalogEnvironment.Of(catalog), outputColumnName, ImageColumn.InputOr(outputColumnName, inputColumnName), autoencoder,
            options ?? new MaeReconstructOptions());
    }
}
