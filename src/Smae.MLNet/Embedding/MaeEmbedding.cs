using Smae.Export;

namespace Smae.MLNet;

/// <summary>Adds a column of embeddings made by an encoder that is trained already.</summary>
/// <remarks>Nothing is trained. The output column is a Vector&lt;Single&gt; of the encoder's width.</remarks>
public sealed class MaeEmbeddingEstimator : ImageEstimator<MaeTransformer>
{
    private readonly ImageEncoder _encoder;
    private readonly BrokenImagePolicy _brokenImages;
    private readonly int _batchSize;

    internal MaeEmbeddingEstimator(
        IHostEnvironment environment, string outputColumnName, string inputColumnName, ImageEncoder encoder, BrokenImagePolicy brokenImages,
        string? errorColumnName, int batchSize)
        : base(environment, inputColumnName, encoder.Preprocessing)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        (_encoder, _brokenImages, _batchSize) = (encoder, brokenImages, batchSize);
        Outputs = ErrorOutput.Beside(new VectorOutput(outputColumnName, encoder.EmbedDim), errorColumnName);
    }

    private protected override IReadOnlyList<OutputColumn> Outputs { get; }

    private protected override MaeTransformer Create(IDataView input, ImageColumnKind kind) =>
        new(Host, InputColumnName, kind, Decoders, _encoder, Outputs, _brokenImages, pretraining: null, _batchSize);
}

/// <summary>
/// Adds the embeddings of images to a data view: what <see cref="MaePretrainEstimator"/> and <see cref="MaeEmbeddingEstimator"/> make. The output column is a
/// <c>Vector&lt;Single, D&gt;</c>, D being <see cref="ImageEncoder.EmbedDim"/>.
/// </summary>
/// <remarks><inheritdoc/></remarks>
public sealed class MaeTransformer : ImageTransformer
{
    internal MaeTransformer(
        IHost host, string inputColumnName, ImageColumnKind kind, ImageDecoders decoders, ImageEncoder encoder, IReadOnlyList<OutputColumn> outputs,
        BrokenImagePolicy brokenImages, (MaePretrainResult Result, MaePretrainOptions Options)? pretraining, int batchSize = ImageScoring.DefaultBatchSize)
        : base(new ImageScoring(
            host, inputColumnName, kind, decoders, new EncoderModel(encoder, pretraining?.Result), outputs, brokenImages, "its embedding is NaN", batchSize))
    {
        Encoder = encoder;
        (Pretraining, PretrainingOptions) = (pretraining?.Result, pretraining?.Options);
    }

    /// <summary>
    /// The encoder that makes the embeddings. Reuse it with <c>mlContext.Transforms.MaeEmbedding</c>, or save it. It is disposed with this transformer if
    /// pretraining made it, and left alone if the caller brought it.
    /// </summary>
    public ImageEncoder Encoder { get; }

    /// <summary>What pretraining left behind: losses, speed, the whole autoencoder. Null if the encoder was not trained by this pipeline.</summary>
    public MaePretrainResult? Pretraining { get; }

    /// <summary>The column of embeddings.</summary>
    public string OutputColumnName => Scoring.Outputs[0].Name;

    /// <summary>The options of <see cref="Pretraining"/>.</summary>
    internal MaePretrainOptions? PretrainingOptions { get; }

    private protected override void Save(SavedChain chain, ModelSaveContext context) => chain.Save(context, OutputColumnName);

    /// <summary>An encoder: its numbers are the embedding. Disposes it together with the pretraining that it comes from, and else leaves it alone.</summary>
    private sealed class EncoderModel(ImageEncoder encoder, MaePretrainResult? pretraining) : ImageModel(encoder.Preprocessing, encoder.EmbedDim)
    {
        public override SavedOutput WriteOnnx(string path) => new(encoder.ExportOnnx(path).Info.Outputs[0]);

        public override void Dispose()
        {
            if (pretraining is null) return;
            encoder.Dispose(); // First: it waits for those who are reading.
            pretraining.Model.Dispose();
        }

        protected override void Score(ReadOnlySpan<byte> images, int count, Span<float> outputs) => encoder.Embed(images, count, outputs);
    }
}
