using Microsoft.ML.Internal.Utilities;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>
/// Keeps the columns of a data view as they are asked for: each new set of columns takes one pass, on a thread of its own.
/// Columns that cannot be kept, such as images, are not there.
/// </summary>
internal sealed class CacheDataView : IDataView
{
    private const int RowsPerBatch = 64;

    private readonly IHost _host;
    private readonly IDataView _input;
    private readonly ColumnCache[] _caches;
    private readonly Lock _gate = new();
    private CacheFill _lastFill;

    public CacheDataView(IHostEnvironment env, IDataView input, string[] prefetch)
    {
        _host = env.Register("Cache");
        _input = ColumnSubset.OfCacheable(_host, input);
        _caches = new ColumnCache[_input.Schema.Count];
        if (prefetch is not { Length: > 0 })
            return;
        foreach (string name in prefetch)
            _host.Check(input.Schema[name].Type.IsCacheable(), $"Values of column '{name}' of type '{input.Schema[name].Type}' cannot be cached");
        Request([.. prefetch.Select(name => _input.Schema[name])]);
    }

    public bool CanShuffle => true;

    public DataViewSchema Schema => _input.Schema;

    public long? GetRowCount() => _input.GetRowCount() ?? _lastFill?.TotalOrNull;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand = null) =>
        CreateCursors(columnsNeeded, 1, rand)[0];

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null) =>
        CreateCursors(columnsNeeded, n > 0 ? Math.Min(n, 2 * ParallelCursors.ThreadCount) : ParallelCursors.ThreadCount, rand);

    private DataViewRowCursor[] CreateCursors(IEnumerable<DataViewSchema.Column> columnsNeeded, int count, Random rand)
    {
        bool[] active = RowCursorUtils.ActiveColumns(columnsNeeded, Schema);
        CacheFill[] fills = Request([.. Schema.Where(c => active[c.Index])]);
        int[] permutation = rand == null ? null : RandomUtils.Permutation(rand, fills[0].WaitForTotal());
        var blocks = new BlockCounter(count == 1 ? int.MaxValue : RowsPerBatch);
        return [.. Enumerable.Range(0, count).Select(_ => new Cursor(_host, this, active, fills, permutation, blocks))];
    }

    /// <summary>Sees that columns are in the cache or on the way, and returns the passes that bring them.</summary>
    private CacheFill[] Request(DataViewSchema.Column[] columns)
    {
        lock (_gate)
        {
            DataViewSchema.Column[] missing = [.. columns.Where(c => _caches[c.Index] == null)];
            // Without any column there is still the number of rows to find.
            if (missing.Length > 0 || _lastFill == null)
            {
                _lastFill = new CacheFill(_host, _input.GetRowCursor(missing));
                foreach (DataViewSchema.Column column in missing)
                    _caches[column.Index] = Generic.Invoke<ColumnCache>(CreateCache<int>, column.Type.RawType, _lastFill, column);
                _lastFill.Start();
            }

            return columns.Length == 0 ? [_lastFill] : [.. columns.Select(c => _caches[c.Index].Fill).Distinct()];
        }
    }

    private static ColumnCache CreateCache<T>(CacheFill fill, DataViewSchema.Column column)
    {
        var cache = new ColumnCache<T>(fill, column);
        fill.Add(cache);
        return cache;
    }

    /// <summary>Deals out blocks of rows to cursors.</summary>
    private sealed class BlockCounter(int size)
    {
        private int _next = -1;

        public int Size => size;

        public int Next() => Interlocked.Increment(ref _next);
    }

    private sealed class Cursor(IHost host, CacheDataView parent, bool[] active, CacheFill[] fills, int[] permutation, BlockCounter blocks)
        : RootCursorBase(host)
    {
        private long _row = -1;
        private long _block = -1;

        public override DataViewSchema Schema => parent.Schema;

        public override long Batch => blocks.Size == int.MaxValue ? 0 : Math.Max(0, _block);

        public override bool IsColumnActive(DataViewSchema.Column column) => active[column.Index];

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            Ch.CheckParam(column.Index < active.Length && active[column.Index], nameof(column), "requested column not active");
            var cache = parent._caches[column.Index] as ColumnCache<TValue>
                ?? throw Ch.Except($"Invalid TValue: '{typeof(TValue)}', expected type: '{column.Type.RawType}'.");
            return (ref TValue value) =>
            {
                Ch.Check(IsGood, RowCursorUtils.FetchValueStateError);
                cache.Fetch(Index(), ref value);
            };
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) =>
        {
            Ch.Check(IsGood, RowCursorUtils.FetchValueStateError);
            value = new DataViewRowId((ulong)Index(), 0);
        };

        protected override bool MoveNextCore()
        {
            if (_block < 0 || (_row + 1) % blocks.Size == 0)
            {
                _block = blocks.Next();
                _row = (_block * blocks.Size) - 1;
            }

            _row++;
            return Array.TrueForAll(fills, fill => fill.WaitForRow(_row));
        }

        private int Index() => permutation == null ? (int)_row : permutation[_row];
    }
}
