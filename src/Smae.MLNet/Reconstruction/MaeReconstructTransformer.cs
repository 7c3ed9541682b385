using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>Adds a column of pictures that show what a masked autoencoder makes of images of which it sees a part.</summary>
/// <remarks>
/// <para>
/// Pictures are made as they are read. As with ML.NET's own image columns, a picture belongs to whoever reads it and is freed when it is
/// handed back to the getter for the next row; <c>CreateEnumerable</c> does so, so look at one row's picture before you go on to the next.
/// Where an image cannot be read the picture is null. The member of a row class that takes the picture names its size, as with every image
/// column of ML.NET: <c>[ImageType(height, width)]</c>, three times the width for <see cref="ReconstructionView.SideBySide"/>.
/// </para>
/// <para>
/// <c>mlContext.Model.Save</c> writes it as a chain of ML.NET's own transformers around an ONNX model: such a file loads and makes the same pictures in an
/// application that has never heard of Smae. It reads what the column held where this transformer was made: paths, or images.
/// </para>
/// <para>The autoencoder stays its owner's. Any number of threads may read at the same time.</para>
/// </remarks>
public sealed class MaeReconstructTransformer : ITransformer, IDisposable
{
    // A picture is some hundred thousand numbers: fewer at a time than embeddings.
    private const int BatchSize = 16;

    private readonly ReconstructionModel _model;
    private readonly ImageColumnKind _sourceKind;

    internal MaeReconstructTransformer(
        IHost host, string outputColumnName, string inputColumnName, ImageColumnKind sourceKind, ReconstructionModel model,
        BrokenImagePolicy brokenImages)
    {
        (_model, _sourceKind) = (model, sourceKind);
        var picture = new PictureOutput(outputColumnName, model.Preprocessing.Height, model.PictureWidth, model.Preprocessing.Channels);
        Scorer = new ImageScorer(host, inputColumnName, model, [picture])
        {
            BrokenImages = brokenImages, Consequence = "its picture is null", BatchSize = BatchSize,
        };
    }

    /// <summary>The column of pictures.</summary>
    public string OutputColumnName => Scorer.Outputs[0].Name;

    /// <summary>The column of images.</summary>
    public string InputColumnName => Scorer.InputColumnName;

    /// <summary>Always true: a row's picture depends on that row only.</summary>
    public bool IsRowToRowMapper => true;

    internal ImageScorer Scorer { get; }

    /// <summary>The schema with the column of pictures added.</summary>
    /// <param name="inputSchema">A schema with the column of images.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => Scorer.MapperFor(inputSchema).OutputSchema;

    /// <summary>A mapper from rows of <paramref name="inputSchema"/> to rows with pictures, made one row at a time.</summary>
    /// <param name="inputSchema">A schema with the column of images.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => Scorer.MapperFor(inputSchema);

    /// <summary>The data with the column of pictures added. Nothing is computed until it is read.</summary>
    /// <param name="input">Data with the column of images.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public IDataView Transform(IDataView input) => Scorer.Transform(input);

    /// <summary>Frees what making pictures needs beside the autoencoder.</summary>
    public void Dispose() => _model.Dispose();

    void ICanSaveModel.Save(ModelSaveContext ctx) =>
        new SavedChain(InputColumnName, _sourceKind, _model).Save(ctx, OutputColumnName, _model.Pictures);
}
