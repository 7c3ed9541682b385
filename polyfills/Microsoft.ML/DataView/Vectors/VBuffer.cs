using System.Collections;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>The value of a vector column, dense or sparse; its arrays may be longer than what it holds and are reused.</summary>
public readonly partial struct VBuffer<T> : IEnumerable
{
    public readonly int Length;

    private readonly T[] _values;
    private readonly int[] _indices;
    private readonly int _count;

    public VBuffer(int length, T[] values, int[] indices = null)
    {
        Contracts.CheckParam(length >= 0, nameof(length));
        Contracts.CheckParam((values?.Length ?? 0) >= length, nameof(values));
        Length = length;
        _count = length;
        _values = values;
        _indices = indices;
    }

    public VBuffer(int length, int count, T[] values, int[] indices)
    {
        Contracts.CheckParam(length >= 0, nameof(length));
        Contracts.CheckParam(count >= 0 && count <= length, nameof(count));
        Contracts.CheckParam((values?.Length ?? 0) >= count, nameof(values));
        Contracts.CheckParam(count == length || (indices?.Length ?? 0) >= count, nameof(indices));
        Length = length;
        _count = count;
        _values = values;
        _indices = indices;
    }

    public bool IsDense => _count == Length;

    public ReadOnlySpan<T> GetValues() => _values.AsSpan(0, _count);

    public ReadOnlySpan<int> GetIndices() => IsDense ? default : _indices.AsSpan(0, _count);

    public void GetItemOrDefault(int index, ref T destination) => destination = GetItemOrDefault(index);

    public T GetItemOrDefault(int index)
    {
        Contracts.CheckParam(index >= 0 && index < Length, nameof(index));
        if (IsDense)
            return _values[index];
        int found = GetIndices().BinarySearch(index);
        return found >= 0 ? _values[found] : default;
    }

    public IEnumerable<KeyValuePair<int, T>> Items(bool all = false)
    {
        // A struct's iterator works on a copy, so the buffer may be refilled meanwhile as far as its arrays allow.
        if (IsDense || !all)
        {
            for (int i = 0; i < _count; i++)
                yield return new KeyValuePair<int, T>(IsDense ? i : _indices[i], _values[i]);
            yield break;
        }

        int next = 0;
        for (int slot = 0; slot < Length; slot++)
        {
            bool given = next < _count && _indices[next] == slot;
            yield return new KeyValuePair<int, T>(slot, given ? _values[next++] : default);
        }
    }

    public IEnumerable<T> DenseValues() => Items(all: true).Select(item => item.Value);

    public override string ToString() =>
        IsDense ? $"Dense vector of size {Length}" : $"Sparse vector of size {Length}, {_count} explicit values";

    /// <summary>Enumerates the array behind, whatever its length, as the original does.</summary>
    public IEnumerator GetEnumerator() => _values.GetEnumerator();

    internal VBufferEditor<T> Edit(int length, int? count, int? maxCapacity, bool keepOld, bool indicesOnDense)
    {
        Contracts.CheckParam(length >= 0, "newLogicalLength", "Must be non-negative.");
        Contracts.CheckParam(count is null or >= 0, "valuesCount", "Must be non-negative.");
        Contracts.CheckParam(count is null || count <= length, "valuesCount", "Must be no greater than newLogicalLength.");
        int physical = count ?? length;
        bool withIndices = indicesOnDense || physical < length;
        T[] values = _values;
        int[] indices = _indices;
        bool newValues = EnsureSize(ref values, physical, maxCapacity, keepOld);
        bool newIndices = withIndices && EnsureSize(ref indices, physical, maxCapacity, keepOld);
        return new VBufferEditor<T>(length, physical, values, indices, withIndices, newValues, newIndices);
    }

    internal VBufferEditor<T> Edit() => Edit(Length, _count, null, keepOld: false, indicesOnDense: false);

    private static bool EnsureSize<TItem>(ref TItem[] array, int wanted, int? maxCapacity, bool keepOld)
    {
        int size = array?.Length ?? 0;
        int max = maxCapacity ?? Array.MaxLength;
        if (wanted > max)
            throw new ArgumentOutOfRangeException(nameof(maxCapacity));
        if (size >= wanted)
            return false;
        int grown = Math.Max(wanted, (int)Math.Min(size == 0 ? 4L : 2L * size, max));
        if (keepOld && size > 0)
            Array.Resize(ref array, grown);
        else
            array = new TItem[grown];
        return true;
    }
}
