using Microsoft.ML;
using Microsoft.ML.Data;

namespace Smae.MLNet;

/// <summary>Position, id and values of rows, kept while the cursor they come from reads on.</summary>
internal sealed class RowBuffer
{
    private readonly DataViewRowCursor _source;
    private readonly ValueGetter<DataViewRowId> _idGetter;
    private readonly DataViewRowId[] _ids;
    private readonly long[] _positions;
    private readonly long[] _batches;
    private readonly ColumnBuffer?[] _columns;

    /// <param name="source">The cursor.</param>
    /// <param name="columns">The columns of its schema whose values are kept; <see cref="ColumnBuffer.CanHold"/> says of which types.</param>
    /// <param name="capacity">Rows that are kept at the same time.</param>
    public RowBuffer(DataViewRowCursor source, IEnumerable<DataViewSchema.Column> columns, int capacity)
    {
        _source = source;
        _idGetter = source.GetIdGetter();
        _ids = new DataViewRowId[capacity];
        _positions = new long[capacity];
        _batches = new long[capacity];
        _columns = new ColumnBuffer?[source.Schema.Count];
        foreach (var column in columns)
            _columns[column.Index] = ColumnBuffer.Create(source, column, capacity);
    }

    /// <summary>Keeps the row as it stands at place <paramref name="slot"/>.</summary>
    public void Take(int slot)
    {
        _positions[slot] = _source.Position;
        _batches[slot] = _source.Batch;
        _idGetter(ref _ids[slot]);
        foreach (var column in _columns)
            column?.Take(slot);
    }

    public long Position(int slot) => _positions[slot];

    public long Batch(int slot) => _batches[slot];

    public DataViewRowId Id(int slot) => _ids[slot];

    /// <summary>A getter of a kept column's value at the place that <paramref name="slot"/> tells at each call.</summary>
    public ValueGetter<TValue> Getter<TValue>(DataViewSchema.Column column, Func<int> slot) => _columns[column.Index]!.Getter<TValue>(column, slot);
}
