using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public static Tensor cat(IList<Tensor> tensors, long dim = 0) => cat(Listed(tensors), dim);
    public static Tensor cat(ReadOnlySpan<Tensor> tensors, long dim = 0) => cat(tensors.ToArray(), dim);
    public static Tensor cat(Tensor[] tensors, long dim = 0) => tensors.Length switch
    {
        0 => throw new ArgumentException(nameof(tensors)),
        1 => tensors[0].alias(),
        _ => Aten.cat.Call(tensors, dim),
    };

    public static Tensor concat(IList<Tensor> tensors, long dim = 0) => cat(tensors, dim);
    public static Tensor concat(ReadOnlySpan<Tensor> tensors, long dim = 0) => cat(tensors, dim);
    public static Tensor concat(Tensor[] tensors, long dim = 0) => cat(tensors, dim);
    public static Tensor concatenate(IList<Tensor> tensors, long axis = 0) => cat(tensors, axis);
    public static Tensor concatenate(ReadOnlySpan<Tensor> tensors, long axis = 0) => cat(tensors, axis);
    public static Tensor concatenate(Tensor[] tensors, long axis = 0) => cat(tensors, axis);

    public static Tensor stack(IEnumerable<Tensor> tensors, long dim = 0) => Aten.stack.Call(Listed(tensors), dim);

    public static Tensor hstack(IList<Tensor> tensors) => Aten.hstack.Call(Listed(tensors));
    public static Tensor hstack(params Tensor[] tensors) => Aten.hstack.Call(tensors);
    public static Tensor hstack(IEnumerable<Tensor> tensors) => Aten.hstack.Call(Listed(tensors));
    public static Tensor hstack(ReadOnlySpan<Tensor> tensors) => Aten.hstack.Call(tensors.ToArray());
    public static Tensor vstack(IList<Tensor> tensors) => Aten.vstack.Call(Listed(tensors));
    public static Tensor vstack(Tensor[] tensors) => Aten.vstack.Call(tensors);
    public static Tensor vstack(ReadOnlySpan<Tensor> tensors) => Aten.vstack.Call(tensors.ToArray());
    public static Tensor row_stack(IList<Tensor> tensors) => vstack(tensors);
    public static Tensor row_stack(params Tensor[] tensors) => vstack(tensors);
    public static Tensor dstack(IList<Tensor> tensors) => Aten.dstack.Call(Listed(tensors));
    public static Tensor dstack(params Tensor[] tensors) => Aten.dstack.Call(tensors);
    public static Tensor column_stack(IList<Tensor> tensors) => Aten.column_stack.Call(Listed(tensors));
    public static Tensor column_stack(params Tensor[] tensors) => Aten.column_stack.Call(tensors);
    public static Tensor block_diag(params Tensor[] tensors) => Aten.block_diag.Call(tensors);
    public static Tensor cartesian_prod(params Tensor[] tensors) => Aten.cartesian_prod.Call(tensors);

    public static Tensor[] meshgrid(IEnumerable<Tensor> tensors, string indexing = "ij") => Aten.meshgrid.Many(Listed(tensors), indexing);

    public static IList<Tensor> broadcast_tensors(params Tensor[] tensors) => tensors.Length switch
    {
        0 => throw new ArgumentException(nameof(tensors)),
        1 => [tensors[0].alias()],
        _ => Aten.broadcast_tensors.Many(tensors),
    };

    private static Tensor[] Listed(IEnumerable<Tensor> tensors) => tensors as Tensor[] ?? tensors.ToArray();
}
