using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// What a transformer's attention does between its two linear layers: <c>softmax(q k' / sqrt(headDim)) v</c>, head by head. The products are libtorch's;
/// scale, softmax and the ways between the layouts are kernels that pass over memory once.
/// </summary>
internal sealed class FusedAttention : autograd.SingleTensorFunction<FusedAttention>
{
    private const string Shape = "shape";

    public override string Name => nameof(FusedAttention);

    /// <summary>Whether this can be used; otherwise libtorch's operations must do.</summary>
    /// <param name="qkv"><c>[batch, tokens, 3 * dim]</c>.</param>
    /// <param name="heads">Attention heads.</param>
    public static bool CanUse(Tensor qkv, int heads) => CpuKernels.CanUse(qkv, Math.Max(qkv.numel(), qkv.size(0) * heads * qkv.size(1) * qkv.size(1)));

    /// <param name="ctx">Keeps what the way back needs.</param>
    /// <param name="vars">Queries, keys and values of all heads, <c>[batch, tokens, 3 * dim]</c>, contiguous; number of heads; first token whose query is asked.</param>
    /// <returns><c>[batch, tokens - first, dim]</c>.</returns>
    public override unsafe Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var qkv = (Tensor)vars[0];
        var shape = new AttentionShape(qkv, heads: (int)vars[1], first: (int)vars[2]);
        Tensor query = shape.NewHeads(shape.Tokens), key = shape.NewHeads(shape.Tokens), value = shape.NewHeads(shape.Tokens);
        HeadLayout.Split(Bytes(qkv), [Place(query), Place(key), Place(value)], shape.Layout);
        query = query.narrow(1, shape.First, shape.Queries);
        Tensor weights = bmm(query, key.transpose(1, 2));
        if (shape.Type == ScalarType.BFloat16)
            SoftmaxKernel<ushort, BFloat16Lane>.Forward(CpuKernels.Pointer<ushort>(weights), shape.Rows, shape.Tokens, shape.Scale);
        else SoftmaxKernel<float, SingleLane>.Forward(CpuKernels.Pointer<float>(weights), shape.Rows, shape.Tokens, shape.Scale);
        using Tensor mixed = bmm(weights, value);
        Tensor result = shape.NewTokens(shape.Queries, parts: 1);
        HeadLayout.Merge(Bytes(result), [Place(mixed)], shape.QueryLayout);
        ctx.save_for_backward([query, key, value, weights]);
        ctx.save_data(Shape, shape);
        return result;
    }

    /// <param name="ctx">What <see cref="forward"/> kept.</param>
    /// <param name="grad_output"><c>[batch, tokens - first, dim]</c>.</param>
    public override unsafe List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using DisposeScope scope = NewDisposeScope();
        var shape = (AttentionShape)ctx.get_data(Shape);
        List<Tensor> saved = ctx.get_saved_variables();
        (Tensor query, Tensor key, Tensor value, Tensor weights) = (saved[0], saved[1], saved[2], saved[3]);
        Tensor gradient = shape.NewHeads(shape.Queries);
        HeadLayout.Split(Bytes(grad_output.contiguous()), [Place(gradient)], shape.QueryLayout);
        Tensor scores = bmm(gradient, value.transpose(1, 2));
        if (shape.Type == ScalarType.BFloat16)
            SoftmaxKernel<ushort, BFloat16Lane>.Backward(
                CpuKernels.Pointer<ushort>(scores), CpuKernels.Pointer<ushort>(weights), shape.Rows, shape.Tokens, shape.Scale);
        else
            SoftmaxKernel<float, SingleLane>.Backward(
                CpuKernels.Pointer<float>(scores), CpuKernels.Pointer<float>(weights), shape.Rows, shape.Tokens, shape.Scale);
        Tensor ofQuery = bmm(scores, key), ofKey = bmm(scores.transpose(1, 2), query), ofValue = bmm(weights.transpose(1, 2), gradient);
        if (shape.First > 0) ofQuery = cat([zeros(ofKey.size(0), shape.First, ofKey.size(2), shape.Type), ofQuery], 1);
        Tensor result = shape.NewTokens(shape.Tokens, parts: 3);
        HeadLayout.Merge(Bytes(result), [Place(ofQuery), Place(ofKey), Place(ofValue)], shape.Layout);
        return [result.MoveToOuterDisposeScope(), null!, null!];
    }

    private static unsafe byte* Bytes(Tensor tensor) => CpuKernels.Pointer<byte>(tensor);

    private static unsafe nint Place(Tensor tensor) => (nint)CpuKernels.Pointer<byte>(tensor);
}
