using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

public readonly partial struct VBuffer<T>
{
    public static void Copy(T[] source, int sourceIndex, ref VBuffer<T> destination, int length)
    {
        int available = source?.Length ?? 0;
        Contracts.CheckParam(length >= 0 && length <= available, nameof(length));
        Contracts.CheckParam(sourceIndex >= 0 && sourceIndex <= available - length, nameof(sourceIndex));
        VBufferEditor<T> editor = VBufferEditor.Create(ref destination, length, length);
        source.AsSpan(sourceIndex, length).CopyTo(editor.Values);
        destination = editor.Commit();
    }

    public void CopyToDense(ref VBuffer<T> destination)
    {
        VBufferEditor<T> editor = VBufferEditor.Create(ref destination, Length);
        CopyTo(editor.Values);
        destination = editor.Commit();
    }

    public void CopyTo(ref VBuffer<T> destination)
    {
        VBufferEditor<T> editor = VBufferEditor.Create(ref destination, Length, _count);
        GetValues().CopyTo(editor.Values);
        GetIndices().CopyTo(editor.Indices);
        destination = editor.Commit();
    }

    public void CopyTo(ref VBuffer<T> destination, int sourceIndex, int length)
    {
        Contracts.CheckParam(sourceIndex >= 0 && sourceIndex <= Length, nameof(sourceIndex));
        Contracts.CheckParam(length >= 0 && sourceIndex <= Length - length, nameof(length));
        int from = sourceIndex;
        int count = length;
        if (!IsDense)
        {
            from = LowerBound(GetIndices(), sourceIndex);
            count = LowerBound(GetIndices(), sourceIndex + length) - from;
        }

        VBufferEditor<T> editor = VBufferEditor.Create(ref destination, length, count);
        _values.AsSpan(from, count).CopyTo(editor.Values);
        if (count < length)
        {
            for (int i = 0; i < count; i++)
                editor.Indices[i] = _indices[from + i] - sourceIndex;
        }

        destination = editor.Commit();
    }

    public void CopyTo(Span<T> destination) => CopyTo(destination, 0);

    public void CopyTo(Span<T> destination, int destinationIndex, T defaultValue = default)
    {
        Contracts.CheckParam(
            destinationIndex >= 0 && destinationIndex <= destination.Length - Length, nameof(destination), "Not large enough to hold these values.");
        Span<T> target = destination.Slice(destinationIndex, Length);
        if (IsDense)
        {
            GetValues().CopyTo(target);
            return;
        }

        // Without explicit values the original clears and forgets the default: kept, since users may see it.
        target.Fill(_count == 0 ? default : defaultValue);
        for (int i = 0; i < _count; i++)
            target[_indices[i]] = _values[i];
    }

    private static int LowerBound(ReadOnlySpan<int> sorted, int value)
    {
        int found = sorted.BinarySearch(value);
        return found >= 0 ? found : ~found;
    }
}
