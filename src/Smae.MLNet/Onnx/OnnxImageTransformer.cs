using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Smae.Export;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>Runs an ONNX file of Smae on a column of images, in batches: what these transformers have in common.</summary>
/// <remarks>
/// <para>
/// Nothing is computed before it is read. A cursor runs as many rows together as the batch size says, while the images of the next ones are decoded on
/// other cores; the first batches are smaller, for readers that want a few rows. A reader that wants other columns only pays for nothing. Where an image
/// cannot be read its row's numbers are NaN, ML.NET's missing value, with a warning in the log of the <see cref="MLContext"/>;
/// <see cref="BrokenImagePolicy.Fail"/> makes it an <see cref="InvalidDataException"/> instead.
/// </para>
/// <para>
/// <c>mlContext.Model.Save</c> writes it as a chain of ML.NET's own transformers with a copy of the ONNX file, which must still be there and
/// unchanged. It reads what the column held where this transformer was made: paths, or images.
/// </para>
/// <para>
/// Any number of threads may read at the same time. <see cref="Dispose"/> frees ONNX Runtime's session. A <c>PredictionEngine</c> disposes its
/// transformer, unless <c>PredictionEngineOptions.OwnsTransformer</c> is false.
/// </para>
/// </remarks>
public abstract class OnnxImageTransformer : ITransformer, IDisposable
{
    private readonly OnnxScorer _parts;

    private protected OnnxImageTransformer(OnnxScorer parts) => _parts = parts;

    /// <summary>The column of images.</summary>
    public string InputColumnName => _parts.Scorer.InputColumnName;

    /// <summary>What the file tells about itself.</summary>
    public OnnxModelInfo Info => _parts.File.Info;

    /// <summary>Where it is computed.</summary>
    public OnnxDevice Device => _parts.Model.Device;

    /// <summary>The most rows that are run together.</summary>
    public int BatchSize => _parts.Scorer.BatchSize;

    /// <summary>What happens where an image cannot be read.</summary>
    public BrokenImagePolicy BrokenImages => _parts.Scorer.BrokenImages;

    /// <summary>Always true: a row's numbers depend on that row only.</summary>
    public bool IsRowToRowMapper => true;

    /// <summary>The schema with the columns added.</summary>
    /// <param name="inputSchema">A schema with the column of images.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => _parts.Scorer.MapperFor(inputSchema).OutputSchema;

    /// <summary>A mapper from rows of <paramref name="inputSchema"/> to rows with the columns added, computed one row at a time.</summary>
    /// <param name="inputSchema">A schema with the column of images.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => _parts.Scorer.MapperFor(inputSchema);

    /// <summary>The data with the columns added. Nothing is computed until it is read.</summary>
    /// <param name="input">Data with the column of images.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public IDataView Transform(IDataView input) => _parts.Scorer.Transform(input);

    /// <summary>Frees ONNX Runtime's session, once the batches that are under way have ended.</summary>
    public void Dispose()
    {
        _parts.Model.Dispose();
        GC.SuppressFinalize(this);
    }

    void ICanSaveModel.Save(ModelSaveContext ctx) => Save(_parts.Saved, ctx);

    /// <summary>Saves the chain.</summary>
    private protected abstract void Save(SavedChain chain, ModelSaveContext context);
}
