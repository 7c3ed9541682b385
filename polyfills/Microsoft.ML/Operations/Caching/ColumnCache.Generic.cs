namespace Microsoft.ML.Data;

/// <inheritdoc/>
internal sealed class ColumnCache<T>(CacheFill fill, DataViewSchema.Column column) : ColumnCache(fill)
{
    private readonly ValueGetter<T> _getter = fill.Cursor.GetGetter<T>(column);
    private readonly ValueCopier<T> _copy = ValueCopier.For<T>();
    private T[] _values = new T[64];
    private int _count;

    public override void CacheCurrent()
    {
        // Readers may hold the old array: it stays as it is.
        if (_count == _values.Length)
            Array.Resize(ref _values, 2 * _count);
        _getter(ref _values[_count++]);
    }

    public void Fetch(int row, ref T value) => _copy(in Volatile.Read(ref _values)[row], ref value);
}
