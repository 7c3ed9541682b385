using TorchSharp.Interop;

namespace TorchSharp;

// Functions that are no methods of tensors.
public static partial class torch
{
    public static Tensor max(Tensor input, Tensor other) => input.maximum(other);
    public static Tensor min(Tensor input, Tensor other) => input.minimum(other);
    public static Tensor real(Tensor input) => input.real;
    public static Tensor imag(Tensor input) => input.imag;
    public static Tensor inverse(Tensor input) => input.inverse();
    public static Tensor softmax(Tensor input, int dim, ScalarType? dtype = null) => input.softmax(dim, dtype);
    public static Tensor[] where(Tensor condition) =>
        condition.dtype == ScalarType.Bool ? Aten.nonzero_numpy.Many(condition) : throw new ArgumentException("The condition to 'where' must be a boolean tensor.");

    public static Tensor searchsorted(Tensor sorted_sequence, Tensor values, bool out_int32 = false, bool right = false, Tensor? sorter = null) =>
        Aten.searchsorted.Call(sorted_sequence, values, out_int32, right, Arg.None, sorter);

    public static Tensor einsum(string equation, params Tensor[] tensors) => Aten.einsum.Call(equation, tensors);

    public static Tensor cdist(Tensor x1, Tensor x2, double p = 2, compute_mode compute_mode = compute_mode.use_mm_for_euclid_dist_if_necessary) =>
        p >= 0 ? Aten.cdist.Call(x1, x2, p, (long)compute_mode) : throw new ArgumentException("p must be non-negative");

    public static Tensor tensordot(Tensor a, Tensor b, long[] dims1, long[] dims2) => Aten.tensordot.Call(a, b, dims1, dims2);

    public static ScalarType promote_types(ScalarType type1, ScalarType type2) => (ScalarType)Aten.promote_types.Value(type1, type2).Integer;

    public static ScalarType result_type(Tensor tensor1, Tensor tensor2) => (ScalarType)Aten.result_type.Value(tensor1, tensor2).Integer;

    public static bool can_cast(ScalarType from, ScalarType to) => Aten.can_cast.Test(from, to);

    public static Size broadcast_shapes(params long[][] shapes)
    {
        var result = new long[shapes.Max(shape => shape.Length)];
        System.Array.Fill(result, 1);
        foreach (var shape in shapes)
            for (int fromEnd = 1; fromEnd <= shape.Length; fromEnd++)
            {
                ref long size = ref result[^fromEnd];
                if (shape[^fromEnd] == 1 || shape[^fromEnd] == size) continue;
                if (size != 1) throw new ArgumentException("Shape mismatch: objects cannot be broadcast to a single shape.");
                size = shape[^fromEnd];
            }
        return result;
    }
}
