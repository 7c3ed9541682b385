using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Draws rows from a pool that is refilled from a cursor.</summary>
internal sealed class ShufflingCursor : RootCursorBase
{
    private readonly DataViewRowCursor _input;
    private readonly Random _rand;
    private readonly ColumnStore[] _stores;
    private readonly int[] _storeOf;

    // The slots of the rows in the pool, in a ring that starts at the current row.
    private readonly int[] _ring;
    private int _head;
    private int _count;
    private bool _inputEnded;
    private bool _disposed;

    public ShufflingCursor(IChannelProvider provider, int poolRows, DataViewRowCursor input, Random rand)
        : base(provider)
    {
        _input = input;
        _rand = rand;
        _ring = [.. Enumerable.Range(0, poolRows)];
        _storeOf = [.. input.Schema.Select(_ => -1)];
        var stores = new List<ColumnStore>();
        foreach (DataViewSchema.Column column in input.Schema)
        {
            if (!input.IsColumnActive(column))
                continue;
            _storeOf[column.Index] = stores.Count;
            stores.Add(ColumnStore.Create(column.Type.RawType, poolRows, RowCursorUtils.GetGetterAsDelegate(input, column.Index)));
        }

        stores.Add(new ColumnStore<DataViewRowId>(poolRows, input.GetIdGetter()));
        _stores = [.. stores];
    }

    public override DataViewSchema Schema => _input.Schema;

    public override long Batch => 0;

    public override bool IsColumnActive(DataViewSchema.Column column)
    {
        Ch.CheckParam(column.Index < _storeOf.Length, nameof(column));
        return _storeOf[column.Index] >= 0;
    }

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        Ch.CheckParam(IsColumnActive(column), nameof(column), "requested column not active");
        return RowCursorUtils.Cast<TValue>(_stores[_storeOf[column.Index]].CreateGetter(CurrentSlot));
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ValueGetter<DataViewRowId>)_stores[^1].CreateGetter(CurrentSlot);

    protected override bool MoveNextCore()
    {
        if (IsGood)
        {
            // The row that was current leaves its slot to a new one.
            _head = (_head + 1) % _ring.Length;
            _count--;
        }

        while (_count < _ring.Length && !_inputEnded)
            Refill();
        if (_count == 0)
            return false;
        int drawn = (_rand.Next(_count) + _head) % _ring.Length;
        (_ring[_head], _ring[drawn]) = (_ring[drawn], _ring[_head]);
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (_disposed)
            return;
        _disposed = true;
        if (disposing)
            _input.Dispose();
        base.Dispose(disposing);
    }

    private int CurrentSlot() => _ring[_head];

    private void Refill()
    {
        try
        {
            if (!_input.MoveNext())
            {
                _inputEnded = true;
                return;
            }

            int slot = _ring[(_head + _count) % _ring.Length];
            foreach (ColumnStore store in _stores)
                store.Fill(slot);
            _count++;
        }
        catch (Exception ex)
        {
            throw Ch.Except(ex, "Shuffle input cursor reader failed with an exception");
        }
    }
}
