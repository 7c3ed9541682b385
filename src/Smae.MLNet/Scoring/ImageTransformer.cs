namespace Smae.MLNet;

/// <summary>What a transformer does with a column of images.</summary>
/// <param name="SourceKind">What the column held where the transformer was made: what a saved model will read.</param>
/// <param name="Outputs">The columns that are made of the numbers, in this order.</param>
/// <param name="BrokenImages">What happens where an image cannot be read. <see cref="BrokenImagePolicy.Skip"/>: all numbers of its row are NaN.</param>
/// <param name="Consequence">What a broken image leads to, for warnings.</param>
internal sealed record ImageScoring(
    IHost Host, string InputColumnName, ImageColumnKind SourceKind, ImageDecoders Decoders, ImageModel Model, IReadOnlyList<OutputColumn> Outputs,
    BrokenImagePolicy BrokenImages, string Consequence, int BatchSize = ImageScoring.DefaultBatchSize)
{
    /// <summary>Rows scored together where no other number is named.</summary>
    public const int DefaultBatchSize = 64;

    /// <summary>Rows scored together: no more than an array holds the pixels of.</summary>
    public int BatchSize { get; } = Math.Min(BatchSize, Array.MaxLength / Decoders.Preprocessing.ByteCount);

    /// <summary>What to do with broken images, for one cursor or row.</summary>
    public BrokenImageReport CreateReport() => new(BrokenImages, Host, Consequence);
}

/// <summary>Adds columns that a model makes of a column of images, a batch of rows at a time: what all transformers of Smae have in common.</summary>
/// <remarks>
/// <para>
/// Nothing is computed before it is read. A cursor scores up to <see cref="BatchSize"/> rows together, while the images of the next ones are decoded on other
/// cores; the first batches are smaller, for readers that want a few rows. A reader that wants other columns only pays for nothing. Where an image cannot be
/// read its row's numbers are NaN, ML.NET's missing value, with a warning in the log of the <see cref="MLContext"/>; <see cref="BrokenImagePolicy.Fail"/> makes
/// it an <see cref="InvalidDataException"/> instead.
/// </para>
/// <para>
/// <c>mlContext.Model.Save</c> writes it as a chain of ML.NET's own transformers around an ONNX model: such a file loads and scores in an application that has
/// never heard of Smae. It reads what the column held where this transformer was made: paths, or images.
/// </para>
/// <para>
/// Any number of threads may read at the same time. A <c>PredictionEngine</c> disposes its transformer, unless <c>PredictionEngineOptions.OwnsTransformer</c>
/// is false.
/// </para>
/// </remarks>
public abstract class ImageTransformer : ITransformer, IDisposable
{
    private protected ImageTransformer(ImageScoring scoring) => Scoring = scoring;

    /// <summary>The column of images.</summary>
    public string InputColumnName => Scoring.InputColumnName;

    /// <summary>What happens where an image cannot be read.</summary>
    public BrokenImagePolicy BrokenImages => Scoring.BrokenImages;

    /// <summary>The most rows that are scored together.</summary>
    public int BatchSize => Scoring.BatchSize;

    /// <summary>Always true: what a row gets depends on that row only.</summary>
    public bool IsRowToRowMapper => true;

    private protected ImageScoring Scoring { get; }

    /// <summary>The schema with the columns added.</summary>
    /// <param name="inputSchema">A schema with the column of images.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => new ImageMapper(Scoring, inputSchema).OutputSchema;

    /// <summary>A mapper from rows of <paramref name="inputSchema"/> to rows with the columns added, computed one row at a time.</summary>
    /// <param name="inputSchema">A schema with the column of images.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => new ImageMapper(Scoring, inputSchema);

    /// <summary>The data with the columns added. Nothing is computed until it is read.</summary>
    /// <param name="input">Data with the column of images.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new ScoredView(input, new ImageMapper(Scoring, input.Schema));
    }

    /// <summary>Frees what this transformer holds, once the batches that are under way have ended; a model that the caller brought is left alone.</summary>
    public virtual void Dispose()
    {
        Scoring.Model.Dispose();
        GC.SuppressFinalize(this);
    }

    void ICanSaveModel.Save(ModelSaveContext ctx) => Save(new SavedChain(Scoring), ctx);

    private protected abstract void Save(SavedChain chain, ModelSaveContext context);
}

/// <summary>Makes transformers that add columns made of a column of images: what all estimators of Smae but the trainers have in common.</summary>
/// <typeparam name="TTransformer">The kind of transformer.</typeparam>
public abstract class ImageEstimator<TTransformer> : IEstimator<TTransformer> where TTransformer : class, ITransformer
{
    private protected ImageEstimator(
        IHostEnvironment environment, string inputColumnName, ImagePreprocessing preprocessing, int maxMegapixels = ImageReadOptions.DefaultMaxMegapixels)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(inputColumnName);
        (Environment, Host, InputColumnName) = (environment, environment.Register(GetType().Name), inputColumnName);
        Decoders = new ImageDecoders(preprocessing, maxMegapixels);
    }

    /// <summary>
    /// The column of images: Image, Text (path of an image file) or Vector&lt;Byte&gt; (content of an image file). Files are turned upright as their EXIF data
    /// says; images come as whoever made them did.
    /// </summary>
    public string InputColumnName { get; }

    private protected IHostEnvironment Environment { get; }

    private protected IHost Host { get; }

    private protected ImageDecoders Decoders { get; }

    /// <summary>The columns that are added.</summary>
    private protected abstract IReadOnlyList<OutputColumn> Outputs { get; }

    /// <summary>The transformer. <c>MaePretrain</c> reads every image and trains; the other estimators look at the schema only.</summary>
    /// <param name="input">Data with the column of images.</param>
    /// <returns>A transformer, to be disposed by the caller.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public TTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return Create(input, ImageColumn.Find(input.Schema, InputColumnName).Kind);
    }

    /// <summary>The schema that the transformer will give.</summary>
    /// <param name="inputSchema">The shape of a schema with the column of images.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ImageColumn.Check(inputSchema, InputColumnName);
        return OutputShape.With(inputSchema, Outputs);
    }

    private protected abstract TTransformer Create(IDataView input, ImageColumnKind kind);
}
