using System.Runtime.Intrinsics;
using static Smae.Training.CpuKernels;

namespace Smae.Training;

/// <summary>
/// Moves the numbers of attention heads between token by token, as linear layers have them (<c>[batch, tokens, parts, heads, headDim]</c>, parts being
/// queries, keys and values, or one alone), and head by head, as products want them (<c>[batch, heads, tokens, headDim]</c> for each part).
/// </summary>
/// <typeparam name="T">What a number is in memory.</typeparam>
/// <typeparam name="TLane">How it is read and written.</typeparam>
internal static unsafe class HeadLayout<T, TLane> where T : unmanaged where TLane : struct, ILane<T>
{
    /// <summary>From tokens to heads.</summary>
    /// <param name="tokens">Where the numbers are.</param>
    /// <param name="bias">Added to each token, <c>[parts, heads, headDim]</c>; null for none.</param>
    /// <param name="heads">Where each part goes.</param>
    /// <param name="shape">The sizes.</param>
    public static void Split(T* tokens, float* bias, ReadOnlySpan<nint> heads, AttentionShape shape)
    {
        nint[] places = heads.ToArray();
        int dim = shape.HeadDim, stride = places.Length * shape.Heads * dim;
        For(shape.Batch, (first, end) =>
        {
            for (long b = first; b < end; b++)
            for (int part = 0; part < places.Length; part++)
            for (int head = 0; head < shape.Heads; head++)
            {
                int offset = (part * shape.Heads + head) * dim;
                T* from = tokens + b * shape.Tokens * stride + offset, to = (T*)places[part] + (b * shape.Heads + head) * shape.Tokens * dim;
                for (int t = 0; t < shape.Tokens; t++, from += stride, to += dim)
                    if (bias == null) Copy(from, to, dim);
                    else
                        for (int i = 0; i < dim; i += Width) TLane.Store(TLane.Load(from + i) + Vector512.Load(bias + offset + i), to + i);
            }
        });
    }

    /// <summary>From heads to tokens.</summary>
    /// <param name="heads">Where each part is.</param>
    /// <param name="tokens">Where to.</param>
    /// <param name="firsts">The first token that each part has; before it are zeros.</param>
    /// <param name="sums">All tokens are added up here, <c>[parts, heads, headDim]</c>, zeros before; null where that is not wanted.</param>
    /// <param name="shape">The sizes.</param>
    public static void Merge(ReadOnlySpan<nint> heads, T* tokens, ReadOnlySpan<int> firsts, float* sums, AttentionShape shape)
    {
        nint[] places = heads.ToArray();
        int[] starts = firsts.ToArray();
        int dim = shape.HeadDim, stride = places.Length * shape.Heads * dim;
        float unused = 0;
        Sum(shape.Batch, sums == null ? &unused : sums, sums == null ? 0 : stride, (first, end, own) =>
        {
            for (long b = first; b < end; b++)
            for (int part = 0; part < places.Length; part++)
            for (int head = 0; head < shape.Heads; head++)
            {
                int offset = (part * shape.Heads + head) * dim, start = starts[part], count = shape.Tokens - start;
                T* from = (T*)places[part] + (b * shape.Heads + head) * count * dim, to = tokens + b * shape.Tokens * stride + offset;
                for (int t = 0; t < start; t++, to += stride) new Span<T>(to, dim).Clear();
                for (int t = 0; t < count; t++, from += dim, to += stride)
                {
                    Copy(from, to, dim);
                    if (sums == null) continue;
                    for (int i = 0; i < dim; i += Width) (Vector512.Load(own + offset + i) + TLane.Load(from + i)).Store(own + offset + i);
                }
            }
        });
    }

    private static void Copy(T* from, T* to, int count) => new ReadOnlySpan<T>(from, count).CopyTo(new Span<T>(to, count));
}
