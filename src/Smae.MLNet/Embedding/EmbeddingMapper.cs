using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>A <see cref="MaeTransformer"/> bound to an input schema: which column it reads, where its own column stands.</summary>
internal sealed class EmbeddingMapper : IRowToRowMapper
{
    private readonly MaeTransformer _transformer;

    /// <exception cref="ArgumentOutOfRangeException">The schema has no such column of images.</exception>
    public EmbeddingMapper(MaeTransformer transformer, DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        _transformer = transformer;
        InputSchema = inputSchema;
        (Source, SourceKind) = ImageColumn.Find(inputSchema, transformer.InputColumnName);
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(inputSchema);
        builder.AddColumn(transformer.OutputColumnName, transformer.EmbeddingType);
        OutputSchema = builder.ToSchema();
    }

    public DataViewSchema InputSchema { get; }

    /// <summary>The columns of the input, at the same indices, and ours as the last one.</summary>
    public DataViewSchema OutputSchema { get; }

    /// <summary>The column of images in <see cref="InputSchema"/>.</summary>
    public DataViewSchema.Column Source { get; }

    /// <summary>What <see cref="Source"/> holds.</summary>
    public ImageColumnKind SourceKind { get; }

    /// <summary>The index of our column in <see cref="OutputSchema"/>.</summary>
    public int EmbeddingIndex => InputSchema.Count;

    /// <summary>Embeds the images of <paramref name="row"/>, up to <paramref name="capacity"/> at a time.</summary>
    public EmbeddingBatch CreateBatch(DataViewRow row, int capacity) => new(
        new ImageBatch(_transformer.Decoders, row, Source, SourceKind, capacity), _transformer.Encoder);

    /// <summary>What to do with broken images, for one cursor or row.</summary>
    public BrokenImageReport CreateReport() => new(_transformer.BrokenImages, _transformer.Host, "its embedding is NaN");

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns)
    {
        bool[] needed = ActiveColumns(dependingColumns);
        if (needed[EmbeddingIndex])
            needed[Source.Index] = true;
        return InputSchema.Where(column => needed[column.Index]);
    }

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.Schema != InputSchema)
            throw new ArgumentException("The row's schema is not the one that this mapper was made for.", nameof(input));
        return new EmbeddingRow(input, this, ActiveColumns(activeColumns));
    }

    /// <summary>Which columns of <see cref="OutputSchema"/> are among <paramref name="columns"/>.</summary>
    public bool[] ActiveColumns(IEnumerable<DataViewSchema.Column> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        bool[] active = new bool[OutputSchema.Count];
        foreach (var column in columns)
        {
            if (column.Index >= active.Length)
                throw new ArgumentException($"Column '{column.Name}' is not part of the schema.", nameof(columns));
            active[column.Index] = true;
        }
        return active;
    }
}
