using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dependencies.Tests.MicrosoftML;

/// <summary>A lazy row-to-row transformer by public means only: it adds the double of a column.</summary>
internal sealed class CoreDoubling(string input, string output, ITransformer? saved = null) : ITransformer, IDisposable
{
    public int Computed { get; private set; }

    public bool Disposed { get; private set; }

    public bool IsRowToRowMapper => true;

    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        if (inputSchema.GetColumnOrNull(input) == null)
            throw new ArgumentOutOfRangeException(nameof(inputSchema), $"Could not find input column '{input}'");
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(inputSchema);
        builder.AddColumn(output, NumberDataViewType.Single);
        return builder.ToSchema();
    }

    public IDataView Transform(IDataView data) => new View(this, data);

    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => new Mapper(this, inputSchema);

    /// <summary>A type of ours cannot be loaded: what is saved is an ML.NET transformer that does the same.</summary>
    public void Save(ModelSaveContext ctx) => saved?.Save(ctx);

    public void Dispose() => Disposed = true;

    private IEnumerable<DataViewSchema.Column> Needed(DataViewSchema source, IEnumerable<DataViewSchema.Column> columns)
    {
        HashSet<string> names = [.. columns.Select(c => c.Name == output ? input : c.Name)];
        return source.Where(c => names.Contains(c.Name));
    }

    private ValueGetter<TValue> GetGetter<TValue>(DataViewRow row, DataViewSchema.Column column)
    {
        if (column.Name != output)
            return row.GetGetter<TValue>(row.Schema[column.Name]);
        ValueGetter<float> getter = row.GetGetter<float>(row.Schema[input]);
        return (ValueGetter<TValue>)(object)(ValueGetter<float>)((ref float value) =>
        {
            getter(ref value);
            value *= 2;
            Computed++;
        });
    }

    private sealed class View(CoreDoubling owner, IDataView source) : IDataView
    {
        public bool CanShuffle => source.CanShuffle;

        public DataViewSchema Schema { get; } = owner.GetOutputSchema(source.Schema);

        public long? GetRowCount() => source.GetRowCount();

        public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
        {
            DataViewSchema.Column[] columns = [.. columnsNeeded];
            return new Cursor(owner, Schema, columns, source.GetRowCursor(owner.Needed(source.Schema, columns), rand));
        }

        public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
            [GetRowCursor(columnsNeeded, rand)];
    }

    private sealed class Cursor(CoreDoubling owner, DataViewSchema schema, DataViewSchema.Column[] columns, DataViewRowCursor input)
        : DataViewRowCursor
    {
        public override long Position => input.Position;

        public override long Batch => input.Batch;

        public override DataViewSchema Schema => schema;

        public override bool MoveNext() => input.MoveNext();

        public override bool IsColumnActive(DataViewSchema.Column column) => columns.Any(c => c.Index == column.Index);

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => owner.GetGetter<TValue>(input, column);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                input.Dispose();
            base.Dispose(disposing);
        }
    }

    private sealed class Mapper(CoreDoubling owner, DataViewSchema inputSchema) : IRowToRowMapper
    {
        public DataViewSchema InputSchema => inputSchema;

        public DataViewSchema OutputSchema { get; } = owner.GetOutputSchema(inputSchema);

        public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns) =>
            owner.Needed(inputSchema, dependingColumns);

        public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns) => new Row(owner, this, input);
    }

    private sealed class Row(CoreDoubling owner, Mapper mapper, DataViewRow input) : DataViewRow
    {
        public override long Position => input.Position;

        public override long Batch => input.Batch;

        public override DataViewSchema Schema => mapper.OutputSchema;

        public override bool IsColumnActive(DataViewSchema.Column column) => true;

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => owner.GetGetter<TValue>(input, column);
    }
}
