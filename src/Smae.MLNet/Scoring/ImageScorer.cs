using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>Adds columns that a model makes of a column of images: what our transformers are thin wrappers of.</summary>
/// <param name="host">Where warnings go.</param>
/// <param name="inputColumnName">The column of images.</param>
/// <param name="model">The model, which stays the caller's.</param>
/// <param name="outputs">The columns to add, in this order.</param>
internal sealed class ImageScorer(IHost host, string inputColumnName, IImageModel model, IReadOnlyList<OutputColumn> outputs)
{
    /// <summary>Rows scored together where no other number is named.</summary>
    public const int DefaultBatchSize = 64;

    /// <summary>The column of images.</summary>
    public string InputColumnName => inputColumnName;

    /// <summary>The columns that are added.</summary>
    public IReadOnlyList<OutputColumn> Outputs => outputs;

    /// <summary>The model.</summary>
    public IImageModel Model => model;

    /// <summary>What makes pixels of the images.</summary>
    public ImageDecoders Decoders { get => field ??= new ImageDecoders(model.Preprocessing); init; }

    /// <summary>What happens where an image cannot be read. Default <see cref="BrokenImagePolicy.Skip"/>: all numbers of its row are NaN.</summary>
    public BrokenImagePolicy BrokenImages { get; init; } = BrokenImagePolicy.Skip;

    /// <summary>What a broken image leads to, for warnings.</summary>
    public required string Consequence { get; init; }

    /// <summary>The most rows that are scored together.</summary>
    public int BatchSize { get; init; } = DefaultBatchSize;

    /// <exception cref="ArgumentOutOfRangeException">The schema has no such column of images.</exception>
    public ScoringMapper MapperFor(DataViewSchema inputSchema) => new(this, inputSchema);

    /// <summary>The data with the columns added. Nothing is computed until it is read.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The schema has no such column of images.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new ScoringDataView(input, MapperFor(input.Schema));
    }

    /// <summary>The shape of the schema with the columns added.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The schema has no such column of images.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        ImageColumn.Check(inputSchema, inputColumnName);
        return OutputShape.With(inputSchema, outputs);
    }

    /// <summary>What to do with broken images, for one cursor or row.</summary>
    public BrokenImageReport CreateReport() => new(BrokenImages, host, Consequence);
}
