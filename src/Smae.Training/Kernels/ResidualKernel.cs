using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static Smae.Training.CpuKernels;

namespace Smae.Training;

/// <summary>
/// What a transformer block does to its residual stream: adding a branch with the bias of the branch's last layer, normalising the sum for the next one,
/// and the way back, a row at a time while it is in the cache.
/// </summary>
/// <typeparam name="T">What a number of a branch is in memory.</typeparam>
/// <typeparam name="TLane">How it is read and written.</typeparam>
internal static unsafe class ResidualKernel<T, TLane> where T : unmanaged where TLane : struct, ILane<T>
{
    /// <summary>The stream after a branch: <c>carried + factor * (branch + bias)</c>.</summary>
    /// <param name="stream">The stream before, all <paramref name="rows"/>.</param>
    /// <param name="carried">The normalisation whose result is carried on; null carries the stream itself (<see cref="ResidualStyle"/>).</param>
    /// <param name="branch">What the branch made, before its bias; kept rows.</param>
    /// <param name="bias">The bias.</param>
    /// <param name="factors">What each image's branch is multiplied by (drop path); null is 1.</param>
    /// <param name="result">The stream after, kept rows.</param>
    /// <param name="next">The normalisation of the result; not looked at where <paramref name="normed"/> is null.</param>
    /// <param name="normed">The normalised result, kept rows; null where it is not wanted.</param>
    /// <param name="rows">The rows.</param>
    public static void Forward(
        float* stream, NormRows? carried, T* branch, float* bias, float[]? factors, float* result, NormRows next, T* normed, TokenRows rows) =>
        For(rows.Kept.Count, (first, end) =>
        {
            for (long r = first; r < end; r++)
            {
                int length = rows.Length;
                long source = rows.FromKept(r);
                float* from = stream + source * length, to = result + r * length;
                Vector512<float> factor = Factor(factors, r / rows.KeptTokens);
                if (carried is { } norm) AddToNormed(from, norm, source, branch + r * length, bias, factor, to, length);
                else Add(from, branch + r * length, bias, factor, to, length);
                if (normed != null) LayerNormKernel<T, TLane>.Row(to, next, r, normed + r * length, length);
            }
        });

    /// <summary>The gradient of a branch, of the stream's after it.</summary>
    /// <param name="stream">Of the stream after the branch.</param>
    /// <param name="factors">As forwards.</param>
    /// <param name="branch">Of the branch.</param>
    /// <param name="bias">Of the bias, zeros before.</param>
    /// <param name="rows">The rows, all of which are kept.</param>
    public static void BranchGradient(float* stream, float[]? factors, T* branch, float* bias, TokenRows rows) =>
        Sum(rows.Count, bias, rows.Length, (first, end, own) =>
        {
            for (long r = first; r < end; r++)
                BranchRow(stream + r * rows.Length, Factor(factors, r / rows.Tokens), branch + r * rows.Length, own, rows.Length);
        });

    /// <summary>The gradient of the stream before a branch, and if wanted that of the branch before.</summary>
    /// <param name="normed">Of what the branch was given: the normalised stream.</param>
    /// <param name="after">Of the stream after the branch, kept rows.</param>
    /// <param name="carriesNormed">Whether the normalised stream was carried on.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="norm">Its normalisation.</param>
    /// <param name="result">Of the stream.</param>
    /// <param name="before">Of the branch before; null where it is not wanted.</param>
    /// <param name="factors">What that branch was multiplied by.</param>
    /// <param name="sums">Gradients of scale, shift and the bias of the branch before, <c>[3, length]</c>, zeros before.</param>
    /// <param name="rows">The rows.</param>
    public static void Backward(
        T* normed, float* after, bool carriesNormed, float* stream, NormRows norm, float* result, T* before, float[]? factors, float* sums,
        TokenRows rows) =>
        Sum(rows.Count, sums, 3 * rows.Length, (first, end, own) =>
        {
            for (long r = first; r < end; r++)
            {
                int length = rows.Length;
                long kept = rows.ToKept(r);
                float* carried = kept < 0 ? null : after + kept * length, to = result + r * length;
                LayerNormKernel<T, TLane>.BackwardRow(
                    normed + r * length, carriesNormed ? carried : null, stream + r * length, norm, r, carriesNormed ? null : carried, to, own, length);
                if (before != null) BranchRow(to, Factor(factors, r / rows.Tokens), before + r * length, own + 2 * length, length);
            }
        });

    private static Vector512<float> Factor(float[]? factors, long image) => Vector512.Create(factors is null ? 1 : factors[image]);

    private static void Add(float* from, T* branch, float* bias, Vector512<float> factor, float* to, int length)
    {
        for (int i = 0; i < length; i += Width)
            Avx512F.FusedMultiplyAdd(TLane.Load(branch + i) + Vector512.Load(bias + i), factor, Vector512.Load(from + i)).Store(to + i);
    }

    private static void AddToNormed(float* from, NormRows norm, long row, T* branch, float* bias, Vector512<float> factor, float* to, int length)
    {
        (Vector512<float> mean, float inverse) = (Vector512.Create(norm.Statistics[2 * row]), norm.Statistics[2 * row + 1]);
        for (int i = 0; i < length; i += Width)
        {
            Vector512<float> carried = LayerNormKernel<T, TLane>.Normed(from, norm, mean, inverse, i);
            Avx512F.FusedMultiplyAdd(TLane.Load(branch + i) + Vector512.Load(bias + i), factor, carried).Store(to + i);
        }
    }

    private static void BranchRow(float* stream, Vector512<float> factor, T* branch, float* sums, int length)
    {
        for (int i = 0; i < length; i += Width)
        {
            Vector512<float> g = Vector512.Load(stream + i) * factor;
            TLane.Store(g, branch + i);
            (Vector512.Load(sums + i) + g).Store(sums + i);
        }
    }
}
