using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Writes into the arrays behind a buffer; <see cref="Commit"/> makes the new buffer.</summary>
public readonly ref struct VBufferEditor<T>
{
    public readonly Span<T> Values;
    public readonly Span<int> Indices;

    private readonly int _length;
    private readonly T[] _values;
    private readonly int[] _indices;

    internal VBufferEditor(int length, int count, T[] values, int[] indices, bool withIndices, bool createdNewValues, bool createdNewIndices)
    {
        _length = length;
        _values = values;
        _indices = indices;
        Values = values.AsSpan(0, count);
        Indices = withIndices ? indices.AsSpan(0, count) : default;
        CreatedNewValues = createdNewValues;
        CreatedNewIndices = createdNewIndices;
    }

    public bool CreatedNewValues { get; }

    public bool CreatedNewIndices { get; }

    public VBuffer<T> Commit() => new(_length, Values.Length, _values, _indices);

    public VBuffer<T> CommitTruncated(int physicalValuesCount)
    {
        Contracts.CheckParam(
            physicalValuesCount <= Values.Length, nameof(physicalValuesCount), "Cannot be greater than the count that the editor was made for.");
        return new VBuffer<T>(_length, physicalValuesCount, _values, _indices);
    }
}
