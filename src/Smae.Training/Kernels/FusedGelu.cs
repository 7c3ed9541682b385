using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>The exact GELU of a contiguous tensor.</summary>
internal sealed class FusedGelu : autograd.SingleTensorFunction<FusedGelu>
{
    public override string Name => nameof(FusedGelu);

    /// <summary>Whether this can be used; otherwise libtorch's operation must do.</summary>
    public static bool CanUse(Tensor x) => CpuKernels.CanUse(x, x.numel());

    /// <param name="ctx">Keeps what the way back needs.</param>
    /// <param name="vars">One tensor, contiguous.</param>
    public override unsafe Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var x = (Tensor)vars[0];
        Tensor result = empty_like(x);
        if (x.dtype == ScalarType.BFloat16)
            GeluKernel<ushort, BFloat16Lane>.Forward(CpuKernels.Pointer<ushort>(x), CpuKernels.Pointer<ushort>(result), x.numel());
        else GeluKernel<float, SingleLane>.Forward(CpuKernels.Pointer<float>(x), CpuKernels.Pointer<float>(result), x.numel());
        ctx.save_for_backward([x]);
        return result;
    }

    /// <param name="ctx">What <see cref="forward"/> kept.</param>
    /// <param name="grad_output">Of the result's shape.</param>
    public override unsafe List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using Tensor x = ctx.get_saved_variables()[0], gradient = grad_output.contiguous();
        Tensor result = empty_like(x);
        if (x.dtype == ScalarType.BFloat16)
            GeluKernel<ushort, BFloat16Lane>.Backward(
                CpuKernels.Pointer<ushort>(gradient), CpuKernels.Pointer<ushort>(x), CpuKernels.Pointer<ushort>(result), x.numel());
        else
            GeluKernel<float, SingleLane>.Backward(
                CpuKernels.Pointer<float>(gradient), CpuKernels.Pointer<float>(x), CpuKernels.Pointer<float>(result), x.numel());
        return [result];
    }
}
