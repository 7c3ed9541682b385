#nullable disable // as the real library's accessor is
using System.Collections;
using static TorchSharp.torch;

namespace TorchSharp.Utils;

/// <summary>The elements of a tensor in main memory, in the order of its indices.</summary>
public sealed unsafe class TensorAccessor<T> : IDisposable, IEnumerable<T> where T : unmanaged
{
    private Tensor tensor;
    private T* pointer;

    internal TensorAccessor(Tensor tensor)
    {
        RequireMainMemory(tensor);
        pointer = (T*)tensor.DataPointer;
        this.tensor = tensor;
    }

    public long Count => tensor is null ? 0 : tensor.numel();

    public bool IsReadOnly => false;

    public T this[params long[] indices]
    {
        get => pointer[Offset(indices)];
        set => pointer[Offset(indices)] = value;
    }

    public T[] ToArray()
    {
        var result = new T[Count];
        if (result.Length > 0) CopyTo(result);
        return result;
    }

    public Array ToNDArray()
    {
        if (tensor.ndim < 2) return ToArray();
        var result = Array.CreateInstance(typeof(T), tensor.shape);
        fixed (byte* target = &System.Runtime.InteropServices.MemoryMarshal.GetArrayDataReference(result))
        {
            long position = 0;
            foreach (long offset in Offsets(0)) ((T*)target)[position++] = pointer[offset];
        }
        return result;
    }

    public void CopyTo(T[] array, int arrayIndex = 0, long tensorIndex = 0) => CopyTo(array.AsSpan(), arrayIndex, tensorIndex);

    public void CopyTo(Span<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        RequireStart(tensorIndex);
        if (tensor.is_contiguous())
        {
            int count = (int)Math.Min(array.Length - arrayIndex, Count - tensorIndex);
            if (count > 0) new ReadOnlySpan<T>(pointer + tensorIndex, count).CopyTo(array[arrayIndex..]);
            return;
        }
        foreach (long offset in Offsets(tensorIndex))
        {
            if (arrayIndex >= array.Length) break;
            array[arrayIndex++] = pointer[offset];
        }
    }

    public void CopyFrom(T[] array, int arrayIndex = 0, long tensorIndex = 0) => CopyFrom((ReadOnlySpan<T>)array, arrayIndex, tensorIndex);

    public void CopyFrom(ReadOnlySpan<T> array, int arrayIndex = 0, long tensorIndex = 0)
    {
        RequireStart(tensorIndex);
        if (tensor.is_contiguous())
        {
            int count = (int)Math.Min(array.Length - arrayIndex, Count - tensorIndex);
            if (count > 0) array.Slice(arrayIndex, count).CopyTo(new Span<T>(pointer + tensorIndex, count));
            return;
        }
        foreach (long offset in Offsets(tensorIndex))
        {
            if (arrayIndex >= array.Length) break;
            pointer[offset] = array[arrayIndex++];
        }
    }

    public static bool operator ==(TensorAccessor<T> left, TensorAccessor<T> right) => left.Count == right.Count && left.SequenceEqual(right);

    public static bool operator !=(TensorAccessor<T> left, TensorAccessor<T> right) => !(left == right);

    public override bool Equals(object obj) => obj is TensorAccessor<T> other && (pointer == other.pointer || this == other);

    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);

    public IEnumerator<T> GetEnumerator()
    {
        if (Count == 0) yield break;
        foreach (long offset in Offsets(0)) yield return At(offset);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public void Dispose()
    {
        pointer = null;
        tensor = null;
    }

    internal static T ReadItemAt(Tensor tensor, long index)
    {
        RequireMainMemory(tensor);
        tensor.ValidateType(typeof(T));
        T value = ((T*)tensor.DataPointer)[Offset(index, tensor)];
        GC.KeepAlive(tensor);
        return value;
    }

    private T At(long offset) => pointer[offset];

    private long Offset(long[] indices)
    {
        if (indices.Length == 1)
        {
            if (indices[0] >= Count) throw new IndexOutOfRangeException();
            return Offset(indices[0], tensor);
        }
        long offset = 0;
        long[] shape = tensor.shape, strides = tensor.stride();
        for (int dim = 0; dim < shape.Length; dim++)
        {
            if (indices[dim] >= shape[dim] || indices[dim] < 0) throw new IndexOutOfRangeException($"{indices[dim]} >= {shape[dim]} in dimension {dim}.");
            offset += indices[dim] * strides[dim];
        }
        return offset;
    }

    /// <summary>Where the element of the given position in the order of indices lies.</summary>
    private static long Offset(long position, Tensor tensor)
    {
        if (position >= tensor.numel() || position < 0) throw new ArgumentOutOfRangeException($"{position} in a collection of  ${tensor.numel()} elements.");
        if (position == 0 || tensor.is_contiguous()) return position;
        long offset = 0;
        long[] shape = tensor.shape, strides = tensor.stride();
        for (int dim = shape.Length - 1; dim >= 0; dim--)
        {
            position = Math.DivRem(position, shape[dim], out long index);
            offset += index * strides[dim];
        }
        return offset;
    }

    private IEnumerable<long> Offsets(long start)
    {
        long[] shape = tensor.shape, strides = tensor.stride(), indices = new long[shape.Length];
        long position = start, offset = Offset(start, tensor);
        for (int dim = shape.Length - 1; dim >= 0; dim--) start = Math.DivRem(start, shape[dim], out indices[dim]);
        for (; position < Count; position++)
        {
            yield return offset;
            for (int dim = shape.Length - 1; dim >= 0; dim--)
            {
                offset += strides[dim];
                if (++indices[dim] < shape[dim]) break;
                offset -= indices[dim] * strides[dim];
                indices[dim] = 0;
            }
        }
    }

    private void RequireStart(long start)
    {
        if (start < 0 || start >= Count) throw new ArgumentOutOfRangeException(nameof(start));
    }

    private static void RequireMainMemory(Tensor tensor)
    {
        if (tensor.device_type != DeviceType.CPU)
            throw new InvalidOperationException("Reading data from non-CPU memory is not supported. Move or copy the tensor to the cpu before reading.");
    }
}
