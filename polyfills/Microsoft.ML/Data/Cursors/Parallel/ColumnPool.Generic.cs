using System.Collections.Concurrent;

namespace Microsoft.ML.Data;

/// <inheritdoc/>
internal sealed class ColumnPool<T> : ColumnPool
{
    private readonly ValueCopier<T> _copy = ValueCopier.For<T>();
    private readonly ConcurrentBag<T[]> _free = [];

    public override ColumnWriter CreateWriter(Delegate getter) => new Writer(this, (ValueGetter<T>)getter);

    public override ColumnReader CreateReader() => new Reader(this);

    private sealed class Writer(ColumnPool<T> pool, ValueGetter<T> getter) : ColumnWriter
    {
        private T[] _values;

        public override void Write(int index)
        {
            _values ??= pool._free.TryTake(out T[] free) ? free : new T[16];
            if (index == _values.Length)
                Array.Resize(ref _values, 2 * index);
            getter(ref _values[index]);
        }

        public override Array Detach()
        {
            Array values = _values;
            _values = null;
            return values;
        }
    }

    private sealed class Reader(ColumnPool<T> pool) : ColumnReader
    {
        private T[] _values;
        private int _index;

        public override void Set(Array values)
        {
            if (_values != null)
                pool._free.Add(_values);
            _values = (T[])values;
            _index = 0;
        }

        public override void MoveNext() => _index++;

        public override Delegate GetGetter() => (ValueGetter<T>)((ref T value) =>
        {
            if (_values == null)
                throw Runtime.Contracts.Except(RowCursorUtils.FetchValueStateError);
            // The array will be used again.
            pool._copy(in _values[_index], ref value);
        });
    }
}
