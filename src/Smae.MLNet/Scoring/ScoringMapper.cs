using Microsoft.ML;
using Microsoft.ML.Data;

namespace Smae.MLNet;

/// <summary>An <see cref="ImageScorer"/> bound to an input schema: which column it reads, where its own columns stand.</summary>
internal sealed class ScoringMapper : IRowToRowMapper
{
    private readonly DataViewSchema.Column _source;
    private readonly ImageColumnKind _sourceKind;

    /// <exception cref="ArgumentOutOfRangeException">The schema has no such column of images.</exception>
    public ScoringMapper(ImageScorer scorer, DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        Scorer = scorer;
        InputSchema = inputSchema;
        (_source, _sourceKind) = ImageColumn.Find(inputSchema, scorer.InputColumnName);
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(inputSchema);
        foreach (var output in scorer.Outputs)
            builder.AddColumn(output.Name, output.Type, output.AnnotationsOver(inputSchema));
        OutputSchema = builder.ToSchema();
    }

    public ImageScorer Scorer { get; }

    public DataViewSchema InputSchema { get; }

    /// <summary>The columns of the input, at the same indices, and the scorer's after them.</summary>
    public DataViewSchema OutputSchema { get; }

    /// <summary>The scorer's column at <paramref name="index"/> of <see cref="OutputSchema"/>; null for a column of the input.</summary>
    public OutputColumn? OutputAt(int index) => index < InputSchema.Count ? null : Scorer.Outputs[index - InputSchema.Count];

    /// <summary>Whether one of the scorer's columns is among the active ones.</summary>
    public bool Scores(bool[] active) => active.AsSpan(InputSchema.Count).Contains(true);

    /// <summary>Reads the images of <paramref name="row"/>, wherever it then stands.</summary>
    public ImageReader CreateReader(DataViewRow row) => new(row, _source, _sourceKind);

    /// <summary>Scores up to <paramref name="capacity"/> images at a time.</summary>
    public ScoredBatch CreateBatch(ImageReader reader, int capacity) => new(new ImageBatch(Scorer.Decoders, reader, capacity), Scorer.Model);

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns)
    {
        bool[] needed = ActiveColumns(dependingColumns);
        if (Scores(needed))
            needed[_source.Index] = true;
        return InputSchema.Where(column => needed[column.Index]);
    }

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.Schema != InputSchema)
            throw new ArgumentException("The row's schema is not the one that this mapper was made for.", nameof(input));
        return new ScoringRow(input, this, ActiveColumns(activeColumns));
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
