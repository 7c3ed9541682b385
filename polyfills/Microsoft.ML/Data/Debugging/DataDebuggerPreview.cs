using System.Collections.Immutable;
using Microsoft.ML.Internal.Utilities;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>The first rows of a data view.</summary>
public sealed class DataDebuggerPreview
{
    internal DataDebuggerPreview(IDataView data, int maxRows)
    {
        Contracts.CheckValue(data, nameof(data));
        Contracts.CheckParam(maxRows >= 0, nameof(maxRows));
        Schema = data.Schema;
        var rows = new List<RowInfo>();
        var columns = new List<object>[Schema.Count];
        using (DataViewRowCursor cursor = data.GetRowCursor(Schema))
        {
            Func<object>[] readers = [.. Schema.Select(c => Generic.Invoke<Func<object>>(CreateReader<int>, c.Type.RawType, cursor, c))];
            for (int i = 0; i < columns.Length; i++)
                columns[i] = [];
            while (rows.Count < maxRows && cursor.MoveNext())
            {
                var row = new RowInfo(columns.Length);
                for (int i = 0; i < columns.Length; i++)
                {
                    // Values of their own for the row and for the column: someone may dispose them.
                    row.Values[i] = new KeyValuePair<string, object>(Schema[i].Name, readers[i]());
                    columns[i].Add(readers[i]());
                }

                rows.Add(row);
            }
        }

        RowView = [.. rows];
        ColumnView = [.. Schema.Select(c => new ColumnInfo(c, [.. columns[c.Index]]))];
    }

    public DataViewSchema Schema { get; }

    public ImmutableArray<ColumnInfo> ColumnView { get; }

    public ImmutableArray<RowInfo> RowView { get; }

    public override string ToString() => $"{Schema.Count} columns, {RowView.Length} rows";

    private static Func<object> CreateReader<T>(DataViewRow row, DataViewSchema.Column column)
    {
        ValueGetter<T> getter = row.GetGetter<T>(column);
        return () =>
        {
            T value = default;
            getter(ref value);
            return value;
        };
    }

    /// <summary>A row: names and values.</summary>
    public sealed class RowInfo
    {
        internal RowInfo(int count) => Values = new KeyValuePair<string, object>[count];

        public KeyValuePair<string, object>[] Values { get; }

        public override string ToString() => $"{Values.Length} columns";
    }

    /// <summary>A column and its values.</summary>
    public sealed class ColumnInfo
    {
        internal ColumnInfo(DataViewSchema.Column column, object[] values)
        {
            Column = column;
            Values = values;
        }

        public DataViewSchema.Column Column { get; }

        public object[] Values { get; }

        public override string ToString() => $"{Column.Name}: {Column.Type}";
    }
}
