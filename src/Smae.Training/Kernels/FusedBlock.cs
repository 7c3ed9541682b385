using TorchSharp;
using static Smae.Training.CpuKernels;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// A whole transformer block and its way back as one step of the graph: libtorch's products with kernels between them that pass over memory once, biases
/// and their gradients included.
/// </summary>
internal sealed class FusedBlock : autograd.SingleTensorFunction<FusedBlock>
{
    private const string Call = "call";

    public override string Name => nameof(FusedBlock);

    /// <summary>Whether this can be used; otherwise libtorch's operations must do.</summary>
    /// <param name="x">The residual stream, <c>[batch, tokens, dim]</c>.</param>
    /// <param name="config">The block's sizes.</param>
    public static bool CanUse(Tensor x, TransformerConfig config)
    {
        (long batch, long tokens) = (x.size(0), x.size(1));
        long most = batch * tokens * Math.Max(Math.Max(3 * config.EmbedDim, config.MlpDim), config.NumHeads * tokens);
        return x.dtype == ScalarType.Float32 && most > 0 && CpuKernels.CanUse(x, most)
            && config.EmbedDim % Width == 0 && config.MlpDim % Width == 0 && config.EmbedDim / config.NumHeads % Width == 0;
    }

    /// <param name="ctx">Keeps what the way back needs.</param>
    /// <param name="vars">
    /// The residual stream, <c>[batch, tokens, dim]</c>, float32; scale and shift of the first normalisation; weight and bias of qkv, of the projection;
    /// scale and shift of the second normalisation; weight and bias of the MLP's first layer, of its second; a <see cref="BlockCall"/>. Weights are of the
    /// type that products run in, all else is float32.
    /// </param>
    /// <returns><c>[batch, tokens - first, dim]</c>, float32.</returns>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var call = (BlockCall)vars[^1];
        Tensor[] tensors = [.. vars[..^1].Cast<Tensor>()];
        return call.Compute == ScalarType.BFloat16 ? Forward<ushort, BFloat16Lane>(ctx, tensors, call) : Forward<float, SingleLane>(ctx, tensors, call);
    }

    /// <param name="ctx">What <see cref="forward"/> kept.</param>
    /// <param name="grad_output">Of the result's shape.</param>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using DisposeScope scope = NewDisposeScope();
        var call = (BlockCall)ctx.get_data(Call);
        Tensor[] gradients = call.Compute == ScalarType.BFloat16
            ? Backward<ushort, BFloat16Lane>(ctx.get_saved_variables(), grad_output.contiguous(), call)
            : Backward<float, SingleLane>(ctx.get_saved_variables(), grad_output.contiguous(), call);
        return [.. gradients.Select(gradient => gradient.MoveToOuterDisposeScope()), null!];
    }

    private static unsafe Tensor Forward<T, TLane>(autograd.AutogradContext ctx, Tensor[] vars, BlockCall call)
        where T : unmanaged where TLane : struct, ILane<T>
    {
        (Tensor x, Tensor scale1, Tensor shift1, Tensor qkvWeight, Tensor qkvBias, Tensor projWeight, Tensor projBias) =
            (vars[0].contiguous(), vars[1], vars[2], vars[3], vars[4], vars[5], vars[6]);
        (Tensor scale2, Tensor shift2, Tensor fc1Weight, Tensor fc1Bias, Tensor fc2Weight, Tensor fc2Bias) =
            (vars[7], vars[8], vars[9], vars[10], vars[11], vars[12]);
        TokenRows rows = Rows(x, call);
        AttentionShape shape = Shape(rows, call);
        int dim = rows.Length;

        Tensor normed1 = empty(rows.Count, dim, call.Compute), statistics1 = empty(rows.Count, 2);
        var norm1 = new NormRows(scale1, shift1, statistics1, call.Epsilon);
        LayerNormKernel<T, TLane>.Forward(Pointer<float>(x), norm1, Pointer<T>(normed1), rows.Count, dim);

        using Tensor qkv = Product(normed1, qkvWeight);
        (Tensor mixed, Tensor query, Tensor key, Tensor value, Tensor weights) = HeadAttention<T, TLane>.Forward(qkv, qkvBias, shape, call.First);
        using Tensor projected = Product(mixed, projWeight);

        Tensor middle = empty(rows.Kept.Count, dim), normed2 = empty(rows.Kept.Count, dim, call.Compute), statistics2 = empty(rows.Kept.Count, 2);
        var norm2 = new NormRows(scale2, shift2, statistics2, call.Epsilon);
        ResidualKernel<T, TLane>.Forward(
            Pointer<float>(x), call.CarriesNormed ? norm1 : null, Pointer<T>(projected), Pointer<float>(projBias), call.AttentionFactors,
            Pointer<float>(middle), norm2, Pointer<T>(normed2), rows);

        Tensor slope = Product(normed2, fc1Weight), active = empty_like(slope);
        ActivationKernel<T, TLane>.Forward(
            Pointer<T>(slope), Pointer<float>(fc1Bias), call.Activation, Pointer<T>(active), slope.size(0), (int)slope.size(1));
        using Tensor last = Product(active, fc2Weight);

        Tensor result = empty(rows.Images, rows.KeptTokens, dim);
        ResidualKernel<T, TLane>.Forward(
            Pointer<float>(middle), call.CarriesNormed ? norm2 : null, Pointer<T>(last), Pointer<float>(fc2Bias), call.MlpFactors,
            Pointer<float>(result), default, null, rows.Kept);

        ctx.save_for_backward(
        [
            x, scale1, shift1, statistics1, normed1, qkvWeight, query, key, value, weights, mixed, projWeight,
            middle, scale2, shift2, statistics2, normed2, fc1Weight, slope, active, fc2Weight,
        ]);
        ctx.save_data(Call, call);
        return result;
    }

    private static unsafe Tensor[] Backward<T, TLane>(List<Tensor> saved, Tensor gradient, BlockCall call)
        where T : unmanaged where TLane : struct, ILane<T>
    {
        (Tensor x, Tensor scale1, Tensor shift1, Tensor statistics1, Tensor normed1, Tensor qkvWeight, Tensor query, Tensor key, Tensor value) =
            (saved[0], saved[1], saved[2], saved[3], saved[4], saved[5], saved[6], saved[7], saved[8]);
        (Tensor weights, Tensor mixed, Tensor projWeight, Tensor middle, Tensor scale2, Tensor shift2, Tensor statistics2, Tensor normed2) =
            (saved[9], saved[10], saved[11], saved[12], saved[13], saved[14], saved[15], saved[16]);
        (Tensor fc1Weight, Tensor slope, Tensor active, Tensor fc2Weight) = (saved[17], saved[18], saved[19], saved[20]);
        TokenRows rows = Rows(x, call);
        int dim = rows.Length;

        Tensor branch = empty(rows.Kept.Count, dim, call.Compute), fc2Bias = zeros(dim), fc1Bias = zeros(slope.size(1));
        ResidualKernel<T, TLane>.BranchGradient(Pointer<float>(gradient), call.MlpFactors, Pointer<T>(branch), Pointer<float>(fc2Bias), rows.Kept);
        Tensor ofFc2 = WeightGradient(branch, active), hidden = branch.mm(fc2Weight);
        ActivationKernel<T, TLane>.Backward(Pointer<T>(hidden), Pointer<T>(slope), Pointer<float>(fc1Bias), slope.size(0), (int)slope.size(1));
        Tensor ofFc1 = WeightGradient(hidden, normed2), ofNormed = hidden.mm(fc1Weight);

        // The gradient of the stream between the two branches, and from it that of the attention's.
        Tensor ofMiddle = empty_like(middle), sums2 = zeros(3, dim);
        ResidualKernel<T, TLane>.Backward(
            Pointer<T>(ofNormed), Pointer<float>(gradient), call.CarriesNormed, Pointer<float>(middle),
            new NormRows(scale2, shift2, statistics2, call.Epsilon), Pointer<float>(ofMiddle), Pointer<T>(branch), call.AttentionFactors,
            Pointer<float>(sums2), rows.Kept);
        Tensor ofProj = WeightGradient(branch, mixed), ofMixed = branch.mm(projWeight), qkvBias = zeros(3 * dim);
        Tensor ofQkv = HeadAttention<T, TLane>.Backward(ofMixed, query, key, value, weights, qkvBias, Shape(rows, call), call.First);
        Tensor ofQkvWeight = WeightGradient(ofQkv, normed1);
        ofNormed = ofQkv.mm(qkvWeight);

        Tensor result = empty_like(x), sums1 = zeros(3, dim);
        ResidualKernel<T, TLane>.Backward(
            Pointer<T>(ofNormed), Pointer<float>(ofMiddle), call.CarriesNormed, Pointer<float>(x),
            new NormRows(scale1, shift1, statistics1, call.Epsilon), Pointer<float>(result), null, null, Pointer<float>(sums1), rows);
        return
        [
            result, sums1[0], sums1[1], ofQkvWeight, qkvBias, ofProj, sums2[2], sums2[0], sums2[1], ofFc1, fc1Bias, ofFc2, fc2Bias,
        ];
    }

    private static TokenRows Rows(Tensor x, BlockCall call) => new(x.size(0), (int)x.size(1), call.First, (int)x.size(2));

    private static AttentionShape Shape(TokenRows rows, BlockCall call) => new(rows.Images, rows.Tokens, call.Heads, rows.Length / call.Heads);

    /// <summary><c>x w'</c>, a linear layer without its bias.</summary>
    private static Tensor Product(Tensor x, Tensor weight)
    {
        using Tensor turned = weight.t();
        return x.mm(turned);
    }

    /// <summary>The gradient of a layer's weight, of that of what it gave and what it was given.</summary>
    private static Tensor WeightGradient(Tensor gradient, Tensor given) => gradient.t().mm(given);
}
