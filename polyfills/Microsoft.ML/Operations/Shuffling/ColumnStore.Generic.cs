namespace Microsoft.ML.Data;

/// <inheritdoc/>
internal sealed class ColumnStore<T>(int slots, ValueGetter<T> getter) : ColumnStore
{
    private readonly ValueCopier<T> _copy = ValueCopier.For<T>();
    private readonly T[] _values = new T[slots];

    public override void Fill(int slot) => getter(ref _values[slot]);

    public override Delegate CreateGetter(Func<int> slot) => (ValueGetter<T>)((ref T value) => _copy(in _values[slot()], ref value));
}
