using System.Runtime.CompilerServices;
using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public unsafe partial class Tensor
    {
        [IndexerName("TensorItems")]
        public Tensor this[params TensorIndex[] indices] { get => index(indices); set => index_put_(value, indices); }

        [IndexerName("TensorItems")]
        public Tensor this[params Tensor[] indices] { get => index(indices); set => index_put_(value, indices); }

        [IndexerName("TensorItems")]
        public Tensor this[params long[] indices] { get => index(Singles(indices)); set => index_put_(value, Singles(indices)); }

        [IndexerName("TensorItems")]
        public Tensor this[long i1] { get => At([i1]); set => Set([i1], value); }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2] { get => At([i1, i2]); set => Set([i1, i2], value); }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2, long i3] { get => At([i1, i2, i3]); set => Set([i1, i2, i3], value); }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2, long i3, long i4] { get => At([i1, i2, i3, i4]); set => Set([i1, i2, i3, i4], value); }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2, long i3, long i4, long i5] { get => At([i1, i2, i3, i4, i5]); set => Set([i1, i2, i3, i4, i5], value); }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2, long i3, long i4, long i5, long i6] { get => At([i1, i2, i3, i4, i5, i6]); set => Set([i1, i2, i3, i4, i5, i6], value); }

        public Tensor index(params TensorIndex[] indices) => At(ToArgs(indices));

        public Tensor index(params Tensor[] indices) => At(ToArgs(indices));

        public Tensor index_put_(Tensor value, params TensorIndex[] indices) => Set(ToArgs(indices), value);

        public Tensor index_put_(Tensor value, params Tensor[] indices) => Set(ToArgs(indices), value);

        public Tensor index_put_(Scalar value, params TensorIndex[] indices) => Set(ToArgs(indices), value);

        public Tensor index_put_(Scalar value, params Tensor[] indices) => Set(ToArgs(indices), value);

        public Tensor index_put_(Tensor value, Tensor[] indices, bool accumulate = false) =>
            accumulate ? Aten.index_put.InPlace(this, indices, value, true) : index_put_(value, indices);

        public Tensor index_put_(Tensor value, TensorIndex[] indices, bool accumulate = false) =>
            !accumulate ? index_put_(value, indices) :
            Array.TrueForAll(indices, index => index.tensor is not null) ? index_put_(value, Array.ConvertAll(indices, index => index.tensor!), true) :
            throw new ArgumentException("Only tensors can be indices where values are accumulated.", nameof(indices));

        private Tensor At(ReadOnlySpan<Arg> indices) => new(Access(indices, null));

        private Tensor Set(ReadOnlySpan<Arg> indices, Arg value)
        {
            if (value.Value.Kind == ValueKind.None) throw new ArgumentNullException(nameof(value));
            var assigned = value.Value;
            Access(indices, &assigned);
            GC.KeepAlive(value.Source);
            return this;
        }

        /// <summary>Reads what the indices name, or assigns to it where a value is given.</summary>
        private nint Access(ReadOnlySpan<Arg> indices, NativeValue* assigned)
        {
            nint result = 0;
            var values = stackalloc NativeValue[indices.Length];
            ArgList.Write(indices, values, stackalloc long[ArgList.Words(indices)]);
            bool done = assigned is null
                ? Native.shim_tensor_index(Handle, values, indices.Length, &result)
                : Native.shim_tensor_index_put(Handle, values, indices.Length, assigned);
            ArgList.KeepAlive(indices);
            Native.Check(done);
            return result;
        }

        private static Arg[] ToArgs(TensorIndex[] indices) => Array.ConvertAll(indices, index => index.ToArg());

        private static Arg[] ToArgs(Tensor[] indices) => Array.ConvertAll(indices, index => (Arg)index);

        private static TensorIndex[] Singles(long[] indices) => Array.ConvertAll(indices, index => TensorIndex.Single(index));
    }
}
