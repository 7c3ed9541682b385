using Microsoft.ML.Internal.Utilities;

namespace Microsoft.ML.Data;

/// <summary>Arrays that batches are made of and that come back when a batch has been read; the last is of the row ids.</summary>
internal sealed class BatchPools(DataViewSchema schema, bool[] active)
{
    private readonly int[] _columns = [.. Enumerable.Range(0, active.Length).Where(c => active[c])];

    private readonly ColumnPool[] _pools =
    [
        .. schema.Where(c => active[c.Index]).Select(c => Generic.Invoke<ColumnPool>(CreatePool<int>, c.Type.RawType)),
        new ColumnPool<DataViewRowId>(),
    ];

    /// <summary>Where an active column is in a batch.</summary>
    public int IndexOf(int column) => Array.IndexOf(_columns, column);

    public BatchWriter CreateWriter(DataViewRow row) =>
        new(
        [
            .. _columns.Select((c, i) => _pools[i].CreateWriter(RowCursorUtils.GetGetterAsDelegate(row, c))),
            _pools[^1].CreateWriter(row.GetIdGetter()),
        ]);

    public ColumnReader[] CreateReaders() => [.. _pools.Select(p => p.CreateReader())];

    private static ColumnPool CreatePool<T>() => new ColumnPool<T>();
}
