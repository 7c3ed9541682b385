using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>
/// Adds the embeddings of images to a data view: what <see cref="MaePretrainEstimator"/> and <see cref="MaeEmbeddingEstimator"/> make.
/// </summary>
/// <remarks>
/// <para>
/// The output column is a <c>Vector&lt;Single, D&gt;</c>, D being <see cref="ImageEncoder.EmbedDim"/>. Nothing is computed before it is read;
/// a cursor that reads it embeds up to 64 rows together, while the images of the next ones are decoded on other cores. A reader that wants other
/// columns only pays for no embedding. The embedding of an image that cannot be read is all NaN, ML.NET's missing value, with a warning in the log of
/// the <see cref="MLContext"/>; <see cref="BrokenImagePolicy.Fail"/> makes it an <see cref="InvalidDataException"/> instead.
/// </para>
/// <para>
/// <c>mlContext.Model.Save</c> writes it as a chain of ML.NET's own transformers around an ONNX model: such a file loads and scores in an application that has
/// never heard of Smae. It reads what the column held where this transformer was made: paths, or images.
/// </para>
/// <para>
/// Any number of threads may read at the same time. <see cref="Dispose"/> frees the encoder if pretraining made it, and leaves alone one
/// that the user brought. A <c>PredictionEngine</c> disposes its transformer, unless <c>PredictionEngineOptions.OwnsTransformer</c> is false.
/// </para>
/// </remarks>
public sealed class MaeTransformer : ITransformer, IDisposable
{
    private readonly bool _ownsEncoder;
    private readonly ImageColumnKind _sourceKind;

    internal MaeTransformer(
        IHost host, string outputColumnName, string inputColumnName, ImageColumnKind sourceKind, ImageEncoder encoder, ImageDecoders decoders,
        BrokenImagePolicy brokenImages, (MaePretrainResult Result, MaePretrainOptions Options)? pretraining)
    {
        _sourceKind = sourceKind;
        OutputColumnName = outputColumnName;
        Encoder = encoder;
        (Pretraining, PretrainingOptions) = (pretraining?.Result, pretraining?.Options);
        Scorer = new ImageScorer(host, inputColumnName, new EncoderModel(encoder), [Embedding(outputColumnName, encoder.EmbedDim)])
        {
            Decoders = decoders, BrokenImages = brokenImages, Consequence = "its embedding is NaN",
        };
        _ownsEncoder = pretraining is not null;
    }

    /// <summary>The encoder that makes the embeddings. Reuse it with <c>mlContext.Transforms.MaeEmbedding</c>, or save it.</summary>
    public ImageEncoder Encoder { get; }

    /// <summary>What pretraining left behind: losses, speed, the whole autoencoder. Null if the encoder was not trained by this pipeline.</summary>
    public MaePretrainResult? Pretraining { get; }

    /// <summary>The column of embeddings.</summary>
    public string OutputColumnName { get; }

    /// <summary>The column of images.</summary>
    public string InputColumnName => Scorer.InputColumnName;

    /// <summary>What happens where an image cannot be read.</summary>
    public BrokenImagePolicy BrokenImages => Scorer.BrokenImages;

    /// <summary>Always true: every row's embedding depends on that row only.</summary>
    public bool IsRowToRowMapper => true;

    internal ImageScorer Scorer { get; }

    /// <summary>The options of <see cref="Pretraining"/>.</summary>
    internal MaePretrainOptions? PretrainingOptions { get; }

    /// <summary>The schema with the column of embeddings added.</summary>
    /// <param name="inputSchema">A schema with the column of images.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => Scorer.MapperFor(inputSchema).OutputSchema;

    /// <summary>A mapper from rows of <paramref name="inputSchema"/> to rows with embeddings, computed one row at a time.</summary>
    /// <param name="inputSchema">A schema with the column of images.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => Scorer.MapperFor(inputSchema);

    /// <summary>The data with the column of embeddings added. Nothing is computed until it is read.</summary>
    /// <param name="input">Data with the column of images.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public IDataView Transform(IDataView input) => Scorer.Transform(input);

    /// <summary>Frees the weights if pretraining made them; a transformer over a given encoder has nothing to free.</summary>
    public void Dispose()
    {
        if (!_ownsEncoder)
            return;
        Encoder.Dispose(); // First: it waits for those who are reading.
        Pretraining!.Model.Dispose();
    }

    /// <summary>A column of embeddings.</summary>
    internal static VectorOutput Embedding(string name, int length) => new(name, new VectorDataViewType(NumberDataViewType.Single, length));

    void ICanSaveModel.Save(ModelSaveContext ctx) => new SavedChain(InputColumnName, _sourceKind, new EncoderModel(Encoder)).Save(ctx, OutputColumnName);
}
