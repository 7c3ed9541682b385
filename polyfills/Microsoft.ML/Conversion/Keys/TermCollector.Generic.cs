using Microsoft.ML.Data;

namespace Microsoft.ML.Transforms;

/// <inheritdoc/>
internal sealed class TermCollector<T> : TermCollector
{
    private readonly PrimitiveDataViewType _itemType;
    private readonly ValueGetter<T> _scalar;
    private readonly ValueGetter<VBuffer<T>> _vector;
    private readonly Func<T, bool> _isMissing;
    private readonly int _max;
    private readonly bool _sort;
    private readonly HashSet<T> _seen = new(TermComparer.Of<T>());
    private readonly List<T> _terms = [];
    private T _value;
    private VBuffer<T> _values;

    public TermCollector(DataViewRow row, DataViewSchema.Column column, int max, bool sort)
    {
        _itemType = (PrimitiveDataViewType)column.Type.GetItemType();
        _max = max;
        _sort = sort;
        _isMissing = MissingValues.Test<T>(_itemType);
        if (column.Type is VectorDataViewType)
            _vector = row.GetGetter<VBuffer<T>>(column);
        else
            _scalar = row.GetGetter<T>(column);
    }

    public override int Count => _terms.Count;

    public override bool AddRow()
    {
        if (_scalar != null)
        {
            _scalar(ref _value);
            Add(_value);
        }
        else
        {
            _vector(ref _values);
            foreach ((_, T value) in _values.Items(all: true))
                Add(value);
        }

        return _terms.Count < _max;
    }

    public override TermMap Finish()
    {
        if (_sort)
            _terms.Sort(TermComparer.OrderOf<T>());
        return new TermMap<T>(_itemType, [.. _terms]);
    }

    private void Add(T value)
    {
        if (_terms.Count == _max || _isMissing(value) || value is ReadOnlyMemory<char> { IsEmpty: true })
            return;
        if (_seen.Add(value))
            _terms.Add(value);
    }
}
