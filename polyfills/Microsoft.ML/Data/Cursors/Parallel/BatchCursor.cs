using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Reads rows that another thread has computed.</summary>
internal sealed class BatchCursor(
    IChannelProvider provider, DataViewSchema schema, bool[] active, BatchPools pools, Func<RowBatch> next, Action quit)
    : RootCursorBase(provider)
{
    private readonly ColumnReader[] _readers = pools.CreateReaders();
    private long _batch = -1;
    private int _remaining;
    private bool _disposed;

    public override DataViewSchema Schema => schema;

    public override long Batch => _batch;

    public override bool IsColumnActive(DataViewSchema.Column column)
    {
        Ch.CheckParam(column.Index < active.Length, nameof(column));
        return active[column.Index];
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ValueGetter<DataViewRowId>)_readers[^1].GetGetter();

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        Ch.CheckParam(IsColumnActive(column), nameof(column), "requested column not active.");
        return RowCursorUtils.Cast<TValue>(_readers[pools.IndexOf(column.Index)].GetGetter());
    }

    protected override bool MoveNextCore()
    {
        if (--_remaining > 0)
        {
            foreach (ColumnReader reader in _readers)
                reader.MoveNext();
            return true;
        }

        RowBatch batch = next();
        batch.ThrowIfFailed();
        if (batch.IsEnd)
            return false;
        _batch = batch.Id;
        _remaining = batch.Count;
        for (int i = 0; i < _readers.Length; i++)
            _readers[i].Set(batch.Columns[i]);
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (_disposed)
            return;
        _disposed = true;
        if (disposing)
        {
            foreach (ColumnReader reader in _readers)
                reader.Set(null);
            quit();
        }

        base.Dispose(disposing);
    }
}
