using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Layer normalisation over the last dimension that gives its result in the type that the next product takes.</summary>
internal sealed class FusedLayerNorm : autograd.SingleTensorFunction<FusedLayerNorm>
{
    public override string Name => nameof(FusedLayerNorm);

    /// <summary>Whether this can be used; otherwise libtorch's operations must do.</summary>
    /// <param name="x"><c>[..., dim]</c>.</param>
    public static bool CanUse(Tensor x) => x.dtype == ScalarType.Float32 && CpuKernels.CanUse(x, x.numel()) && x.size(-1) % CpuKernels.Width == 0;

    /// <param name="ctx">Keeps what the way back needs.</param>
    /// <param name="vars">Rows, <c>[..., dim]</c>, float32; scale and shift, <c>[dim]</c>; epsilon; type of the result, float32 or bfloat16.</param>
    public override unsafe Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        Tensor x = ((Tensor)vars[0]).contiguous(), weight = (Tensor)vars[1], shift = (Tensor)vars[2];
        var type = (ScalarType)vars[4];
        (long count, int length) = (x.numel() / x.size(-1), (int)x.size(-1));
        Tensor result = empty(x.shape, type), statistics = empty(count, 2);
        float* rows = CpuKernels.Pointer<float>(x);
        var norm = new NormRows(weight, shift, statistics, (double)vars[3]);
        if (type == ScalarType.BFloat16) LayerNormKernel<ushort, BFloat16Lane>.Forward(rows, norm, CpuKernels.Pointer<ushort>(result), count, length);
        else LayerNormKernel<float, SingleLane>.Forward(rows, norm, CpuKernels.Pointer<float>(result), count, length);
        ctx.save_for_backward([x, weight, shift, statistics]);
        return result;
    }

    /// <param name="ctx">What <see cref="forward"/> kept.</param>
    /// <param name="grad_output">Of the result's shape and type.</param>
    public override unsafe List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using DisposeScope scope = NewDisposeScope();
        List<Tensor> saved = ctx.get_saved_variables();
        (Tensor x, Tensor gradient) = (saved[0], grad_output.contiguous());
        (long count, int length) = (x.numel() / x.size(-1), (int)x.size(-1));
        Tensor rows = empty_like(x), parameters = zeros(2, length);
        var norm = new NormRows(saved[1], saved[2], saved[3], epsilon: 0);   // the statistics hold it already
        float* from = CpuKernels.Pointer<float>(x), to = CpuKernels.Pointer<float>(rows), sums = CpuKernels.Pointer<float>(parameters);
        if (gradient.dtype == ScalarType.BFloat16)
            LayerNormKernel<ushort, BFloat16Lane>.Backward(CpuKernels.Pointer<ushort>(gradient), from, norm, to, sums, count, length);
        else LayerNormKernel<float, SingleLane>.Backward(CpuKernels.Pointer<float>(gradient), from, norm, to, sums, count, length);
        Tensor ofWeight = parameters[0], ofBias = parameters[1];
        return [rows.MoveToOuterDisposeScope(), ofWeight.MoveToOuterDisposeScope(), ofBias.MoveToOuterDisposeScope(), null!, null!];
    }
}
