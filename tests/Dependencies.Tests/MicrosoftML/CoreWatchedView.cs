using Microsoft.ML;
using Microsoft.ML.Data;

namespace Dependencies.Tests.MicrosoftML;

/// <summary>A data view by public means only, of two columns of numbers; it records which columns its cursors are asked for.</summary>
internal sealed class CoreWatchedView(int count) : IDataView
{
    public List<string> Requested { get; } = [];

    public List<Random?> Generators { get; } = [];

    public int Passes => Requested.Count;

    public bool CanShuffle => true;

    public DataViewSchema Schema { get; } = CreateSchema();

    public long? GetRowCount() => count;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        DataViewSchema.Column[] columns = [.. columnsNeeded];
        lock (Requested)
        {
            Requested.Add(string.Join(",", columns.Select(c => c.Name)));
            Generators.Add(rand);
        }

        int[] order = [.. Enumerable.Range(0, count)];
        rand?.Shuffle(order);
        return new Cursor(Schema, columns, order);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    private static DataViewSchema CreateSchema()
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumn("A", NumberDataViewType.Single);
        builder.AddColumn("B", NumberDataViewType.Single);
        return builder.ToSchema();
    }

    private sealed class Cursor(DataViewSchema schema, DataViewSchema.Column[] columns, int[] order) : DataViewRowCursor
    {
        private int _position = -1;

        public override long Position => _position;

        public override long Batch => 0;

        public override DataViewSchema Schema => schema;

        public override bool MoveNext() => ++_position < order.Length;

        public override bool IsColumnActive(DataViewSchema.Column column) => columns.Any(c => c.Index == column.Index);

        public override ValueGetter<DataViewRowId> GetIdGetter() =>
            (ref DataViewRowId value) => value = new DataViewRowId((ulong)order[_position], 0);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (!IsColumnActive(column))
                throw new InvalidOperationException($"{column.Name} was not asked for");
            int factor = column.Name == "A" ? 1 : 10;
            return (ValueGetter<TValue>)(object)(ValueGetter<float>)((ref float value) => value = factor * order[_position]);
        }
    }
}
