using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>One index in an indexing expression: a number, a slice, a tensor, or one of the special ones.</summary>
    public readonly struct TensorIndex
    {
        private readonly Arg arg;
        internal readonly Tensor? tensor;

        private TensorIndex(Arg arg, Tensor? tensor = null) => (this.arg, this.tensor) = (arg, tensor);

        public static TensorIndex Ellipsis = new(Arg.Ellipsis);

        public static TensorIndex None = new(Arg.None);

        public static TensorIndex Null = new(Arg.None);

        public static TensorIndex Colon = Slice();

        public static TensorIndex Slice(long? start = null, long? stop = null, long? step = null) => new((long[])[start ?? 0, stop ?? long.MaxValue, step ?? 1]);

        public static TensorIndex Slice((int? start, int? end) range) => Slice(range.start, range.end);

        public static TensorIndex Slice(Range range) =>
            Slice(Position(range.Start), range.End is { IsFromEnd: true, Value: 0 } ? null : Position(range.End));

        public static TensorIndex Bool(bool value) => new(value);

        public static TensorIndex Single(long? index) => new(index ?? 0);

        public static TensorIndex Tensor(Tensor tensor) => new(Arg.None, tensor);

        public static implicit operator TensorIndex(long value) => Single(value);

        public static implicit operator TensorIndex((int? start, int? end) range) => Slice(range);

        public static implicit operator TensorIndex(Range range) => Slice(range);

        public static implicit operator TensorIndex(Index index) => Single(Position(index));

        // Lets a mixture of indices and tensors compile, and throw, as in the real library.
        public static implicit operator Tensor(TensorIndex value) =>
            throw new InvalidOperationException("Should not be called.");

        /// <summary>The index as it stands now: a tensor disposed since is an error.</summary>
        internal Arg ToArg() => tensor is null ? arg : tensor;

        private static long Position(Index index) => index.IsFromEnd ? -index.Value : index.Value;
    }
}
