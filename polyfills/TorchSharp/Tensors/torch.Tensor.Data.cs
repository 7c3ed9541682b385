using TorchSharp.Interop;
using TorchSharp.Utils;

namespace TorchSharp;

public static partial class torch
{
    public unsafe partial class Tensor
    {
        public TensorAccessor<T> data<T>() where T : unmanaged
        {
            ValidateType(typeof(T));
            return new TensorAccessor<T>(device_type == DeviceType.CPU ? this : cpu());
        }

        public T item<T>() where T : unmanaged =>
            NumberOfElements == 1 ? data<T>()[0] : throw new ArgumentException("Number of elements in the tensor must be 1");

        public Scalar ToScalar()
        {
            var value = Aten.item.Value(this);
            return value.Kind switch
            {
                ValueKind.Bool => new Scalar(value.Integer != 0),
                ValueKind.Int => new Scalar(value.Integer),
                ValueKind.Complex => new Scalar(new System.Numerics.Complex(value.Real, value.Imaginary)),
                _ => new Scalar(value.Real),
            };
        }

        public Span<byte> bytes
        {
            get
            {
                long total = NumberOfElements * ElementSize;
                RequireReadable(total);
                return new Span<byte>(DataPointer, (int)total);
            }
            set
            {
                if (!is_contiguous()) throw new InvalidOperationException("SetBytes() called on non-contiguous tensor.");
                if (NumberOfElements * ElementSize != value.Length) throw new ArgumentException("Mismatched data sizes in SetBytes().");
                value.CopyTo(new Span<byte>(DataPointer, value.Length));
            }
        }

        public void WriteBytesToStream(Stream stream, int bufferSize = 1024)
        {
            RequireReadable(0);
            var pointer = (byte*)DataPointer;
            // In large steps whatever the buffer's size, for the memory itself can be written from.
            for (long left = NumberOfElements * ElementSize; left > 0;)
            {
                int count = (int)Math.Min(left, 1 << 26);
                stream.Write(new ReadOnlySpan<byte>(pointer, count));
                pointer += count;
                left -= count;
            }
            GC.KeepAlive(this);
        }

        public void ReadBytesFromStream(Stream stream, int bufferSize = 1024)
        {
            RequireReadable(0);
            var pointer = (byte*)DataPointer;
            for (long left = NumberOfElements * ElementSize; left > 0;)
            {
                int count = (int)Math.Min(left, 1 << 26);
                stream.ReadExactly(new Span<byte>(pointer, count));
                pointer += count;
                left -= count;
            }
            GC.KeepAlive(this);
        }

        public double ReadCpuDouble(long i) => TensorAccessor<double>.ReadItemAt(this, i);
        public float ReadCpuSingle(long i) => TensorAccessor<float>.ReadItemAt(this, i);
        public long ReadCpuInt64(long i) => TensorAccessor<long>.ReadItemAt(this, i);
        public int ReadCpuInt32(long i) => TensorAccessor<int>.ReadItemAt(this, i);
        public short ReadCpuInt16(long i) => TensorAccessor<short>.ReadItemAt(this, i);
        public byte ReadCpuByte(long i) => TensorAccessor<byte>.ReadItemAt(this, i);
        public sbyte ReadCpuSByte(long i) => TensorAccessor<sbyte>.ReadItemAt(this, i);
        public bool ReadCpuBool(long i) => TensorAccessor<bool>.ReadItemAt(this, i);
        public T ReadCpuValue<T>(long i) where T : unmanaged => TensorAccessor<T>.ReadItemAt(this, i);

        /// <summary>Throws unless elements of this tensor are held as the given .NET type.</summary>
        internal void ValidateType(Type dotnetType)
        {
            if (dtype == ScalarType.BFloat16) throw new ArgumentException($"No support for {dtype} in TorchSharp");
            if (ToScalarType(dotnetType) != dtype) throw new ArgumentException($"{dotnetType.Name} is not compatible with {dtype}");
        }

        /// <summary>The address of the first element.</summary>
        internal void* DataPointer
        {
            get
            {
                void* result;
                Native.Check(Native.shim_tensor_data(Handle, &result));
                return result;
            }
        }

        private void RequireReadable(long total)
        {
            if (!is_contiguous()) throw new InvalidOperationException("Bytes() called on non-contiguous tensor.");
            if (total > int.MaxValue) throw new ArgumentException("Span only supports up to int.MaxValue elements.");
            if (device_type != DeviceType.CPU)
                throw new InvalidOperationException("Reading data from non-CPU memory is not supported. Move or copy the tensor to the cpu before reading.");
        }
    }
}
