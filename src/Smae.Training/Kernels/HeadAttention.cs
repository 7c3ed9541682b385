using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// What attention does between its two linear layers: <c>softmax(q k' / sqrt(headDim)) v</c>, head by head. The products are libtorch's; scale, softmax and
/// the ways between the layouts are kernels that pass over memory once.
/// </summary>
/// <typeparam name="T">What a number is in memory.</typeparam>
/// <typeparam name="TLane">How it is read and written.</typeparam>
internal static unsafe class HeadAttention<T, TLane> where T : unmanaged where TLane : struct, ILane<T>
{
    /// <summary>Mixes the values.</summary>
    /// <param name="qkv">Queries, keys and values of all heads before their bias, <c>[batch * tokens, 3 * dim]</c>.</param>
    /// <param name="bias">Their bias, <c>[3 * dim]</c>, float32.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="first">The first token whose query is asked.</param>
    /// <returns>
    /// <c>[batch * (tokens - first), dim]</c>, and what the way back needs: queries, keys and values as <see cref="AttentionShape.NewHeads"/> has them, and
    /// the probabilities, <c>[batch * heads, tokens - first, tokens]</c>.
    /// </returns>
    public static (Tensor Mixed, Tensor Query, Tensor Key, Tensor Value, Tensor Weights) Forward(
        Tensor qkv, Tensor bias, AttentionShape shape, int first)
    {
        AttentionShape asked = shape with { Tokens = shape.Tokens - first };
        Tensor query = shape.NewHeads(qkv.dtype), key = shape.NewHeads(qkv.dtype), value = shape.NewHeads(qkv.dtype);
        HeadLayout<T, TLane>.Split(CpuKernels.Pointer<T>(qkv), CpuKernels.Pointer<float>(bias), [Place(query), Place(key), Place(value)], shape);
        if (first > 0) query = query.narrow(1, first, asked.Tokens);
        using Tensor turned = key.transpose(1, 2);
        Tensor weights = bmm(query, turned);
        SoftmaxKernel<T, TLane>.Forward(CpuKernels.Pointer<T>(weights), weights.numel() / shape.Tokens, shape.Tokens, shape.Scale);
        using Tensor heads = bmm(weights, value);
        Tensor mixed = asked.NewTokens(parts: 1, qkv.dtype);
        HeadLayout<T, TLane>.Merge([Place(heads)], CpuKernels.Pointer<T>(mixed), [0], null, asked);
        return (mixed, query, key, value, weights);
    }

    /// <summary>The way back.</summary>
    /// <param name="gradient">Of what <see cref="Forward"/> gave.</param>
    /// <param name="query">What it kept.</param>
    /// <param name="key">Likewise.</param>
    /// <param name="value">Likewise.</param>
    /// <param name="weights">Likewise.</param>
    /// <param name="bias">The gradient of the bias, zeros before.</param>
    /// <param name="shape">The sizes.</param>
    /// <param name="first">The first token whose query was asked.</param>
    /// <returns>The gradient of queries, keys and values, <c>[batch * tokens, 3 * dim]</c>.</returns>
    public static Tensor Backward(
        Tensor gradient, Tensor query, Tensor key, Tensor value, Tensor weights, Tensor bias, AttentionShape shape, int first)
    {
        using DisposeScope scope = NewDisposeScope();
        AttentionShape asked = shape with { Tokens = shape.Tokens - first };
        Tensor heads = asked.NewHeads(gradient.dtype);
        HeadLayout<T, TLane>.Split(CpuKernels.Pointer<T>(gradient), null, [Place(heads)], asked);
        Tensor scores = bmm(heads, value.transpose(1, 2));
        SoftmaxKernel<T, TLane>.Backward(
            CpuKernels.Pointer<T>(scores), CpuKernels.Pointer<T>(weights), scores.numel() / shape.Tokens, shape.Tokens, shape.Scale);
        Tensor ofQuery = bmm(scores, key), ofKey = bmm(scores.transpose(1, 2), query), ofValue = bmm(weights.transpose(1, 2), heads);
        Tensor result = shape.NewTokens(parts: 3, gradient.dtype);
        HeadLayout<T, TLane>.Merge(
            [Place(ofQuery), Place(ofKey), Place(ofValue)], CpuKernels.Pointer<T>(result), [first, 0, 0], CpuKernels.Pointer<float>(bias), shape);
        return result.MoveToOuterDisposeScope();
    }

    private static nint Place(Tensor tensor) => (nint)CpuKernels.Pointer<byte>(tensor);
}
