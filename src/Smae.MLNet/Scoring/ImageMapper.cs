namespace Smae.MLNet;

/// <summary>A transformer's work bound to an input schema: which column it reads, where its own columns stand.</summary>
internal sealed class ImageMapper : IRowToRowMapper
{
    private readonly DataViewSchema.Column _source;
    private readonly ImageColumnKind _sourceKind;

    public ImageMapper(ImageScoring scoring, DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        Scoring = scoring;
        InputSchema = inputSchema;
        (_source, _sourceKind) = ImageColumn.Find(inputSchema, scoring.InputColumnName);
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(inputSchema);
        foreach (var output in scoring.Outputs) builder.AddColumn(output.Name, output.Type, output.AnnotationsOver(inputSchema));
        OutputSchema = builder.ToSchema();
    }

    public ImageScoring Scoring { get; }

    public DataViewSchema InputSchema { get; }

    /// <summary>The columns of the input, at the same indices, and the transformer's after them.</summary>
    public DataViewSchema OutputSchema { get; }

    /// <summary>The transformer's column at <paramref name="index"/> of <see cref="OutputSchema"/>; null for a column of the input.</summary>
    public OutputColumn? OutputAt(int index) => index < InputSchema.Count ? null : Scoring.Outputs[index - InputSchema.Count];

    /// <summary>Whether one of the transformer's columns is among the active ones.</summary>
    public bool Scores(bool[] active) => active.AsSpan(InputSchema.Count).Contains(true);

    /// <summary>Reads the images of <paramref name="row"/>, wherever it then stands.</summary>
    public ImageReader CreateReader(DataViewRow row) => new(row, _source, _sourceKind);

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns)
    {
        bool[] needed = OutputSchema.Active(dependingColumns);
        if (Scores(needed)) needed[_source.Index] = true;
        return InputSchema.Where(column => needed[column.Index]);
    }

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.Schema != InputSchema) throw new ArgumentException("The row's schema is not the one that this mapper was made for.", nameof(input));
        return new RowCursor(input, this, OutputSchema.Active(activeColumns));
    }
}

/// <summary>A data view with columns that a model makes of its images as they are read.</summary>
internal sealed class ScoredView(IDataView source, ImageMapper mapper) : IDataView
{
    public DataViewSchema Schema => mapper.OutputSchema;

    public bool CanShuffle => source.CanShuffle;

    public long? GetRowCount() => source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        bool[] active = Schema.Active(columnsNeeded);
        return Wrap(source.GetRowCursor(mapper.GetDependencies(columnsNeeded), rand), active);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        bool[] active = Schema.Active(columnsNeeded);
        // One cursor that scores in batches keeps all cores busy by itself; several would only make them compete.
        if (mapper.Scores(active)) return [GetRowCursor(columnsNeeded, rand)];
        return Array.ConvertAll(source.GetRowCursorSet(mapper.GetDependencies(columnsNeeded), n, rand), cursor => Wrap(cursor, active));
    }

    private DataViewRowCursor Wrap(DataViewRowCursor cursor, bool[] active) =>
        mapper.Scores(active) && mapper.InputSchema.All(column => !active[column.Index] || ColumnBuffer.CanHold(column.Type))
            ? new BatchCursor(cursor, mapper, active)
            : new RowCursor(cursor, mapper, active);
}

/// <summary>The numbers that a model gave for the row which is current at the time of the call.</summary>
internal delegate ReadOnlySpan<float> RowScores();

/// <summary>What is wrong with the image of the row which is current at the time of the call; null for a good one.</summary>
internal delegate InvalidDataException? RowProblem();

/// <summary>A column that a transformer adds: its name, its type and how its value is read from the numbers that the model gives for a row.</summary>
internal abstract class OutputColumn(string name, DataViewType type)
{
    public string Name => name;

    public DataViewType Type => type;

    /// <summary>The column's annotations where it is added to <paramref name="input"/>; null is none.</summary>
    public virtual DataViewSchema.Annotations? AnnotationsOver(DataViewSchema input) => null;

    /// <summary>A getter of the column's value: a <see cref="ValueGetter{TValue}"/> of what <see cref="Type"/> holds.</summary>
    /// <param name="scores">The numbers of the current row, all NaN where its image could not be read.</param>
    /// <param name="problem">What is wrong with its image.</param>
    public abstract Delegate Getter(RowScores scores, RowProblem problem);
}

/// <summary>The model's numbers as a vector.</summary>
internal sealed class VectorOutput(string name, int size) : OutputColumn(name, new VectorDataViewType(NumberDataViewType.Single, size))
{
    public override Delegate Getter(RowScores scores, RowProblem problem) => Getter(scores, size);

    public static ValueGetter<VBuffer<float>> Getter(RowScores scores, int size) => (ref VBuffer<float> value) =>
    {
        // Into the buffer that the value has, if it is large enough.
        var editor = VBufferEditor.Create(ref value, size);
        scores().CopyTo(editor.Values);
        value = editor.Commit();
    };
}

/// <summary>Why an image could not be read, as text; empty for a good one.</summary>
internal sealed class ErrorOutput(string name) : OutputColumn(name, TextDataViewType.Instance)
{
    /// <summary>The columns of an embedding: the model's numbers and, where a name is given for it, what is wrong with an image.</summary>
    public static IReadOnlyList<OutputColumn> Beside(VectorOutput embedding, string? errorColumnName)
    {
        if (errorColumnName is null) return [embedding];
        ArgumentException.ThrowIfNullOrWhiteSpace(errorColumnName);
        return errorColumnName != embedding.Name ? [embedding, new ErrorOutput(errorColumnName)]
            : throw new ArgumentException($"errorColumnName is '{errorColumnName}', as the column of embeddings is: expected another name.", nameof(errorColumnName));
    }

    public override Delegate Getter(RowScores scores, RowProblem problem) =>
        (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> value) => value = problem()?.Message.AsMemory() ?? default);
}
