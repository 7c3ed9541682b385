using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Smae.Training;

/// <summary>The exact GELU (Hendrycks and Gimpel 2016), <c>x</c> times the share of a standard normal distribution below x, and its way back.</summary>
/// <typeparam name="T">What a number is in memory.</typeparam>
/// <typeparam name="TLane">How it is read and written.</typeparam>
internal static unsafe class GeluKernel<T, TLane> where T : unmanaged where TLane : struct, ILane<T>
{
    private const int Width = 16;
    private const long Chunk = 1 << 14;
    private static readonly float s_density = (float)(1 / Math.Sqrt(Math.Tau));

    /// <summary>The GELU of each number.</summary>
    public static void Forward(T* x, T* result, long count) => ForChunks(count, (first, end) =>
    {
        long i = first;
        for (; i + Width <= end; i += Width) TLane.Store(Of(TLane.Load(x + i)), result + i);
        if (i == end) return;
        T* some = stackalloc T[Width];
        Copy(x + i, some, end - i);
        TLane.Store(Of(TLane.Load(some)), some);
        Copy(some, result + i, end - i);
    });

    /// <summary>From gradients of the GELU to those of what went in.</summary>
    public static void Backward(T* gradient, T* x, T* result, long count) => ForChunks(count, (first, end) =>
    {
        long i = first;
        for (; i + Width <= end; i += Width) TLane.Store(TLane.Load(gradient + i) * SlopeAt(TLane.Load(x + i)), result + i);
        if (i == end) return;
        T* some = stackalloc T[2 * Width];
        Copy(x + i, some, end - i);
        Copy(gradient + i, some + Width, end - i);
        TLane.Store(TLane.Load(some + Width) * SlopeAt(TLane.Load(some)), some);
        Copy(some, result + i, end - i);
    });

    private static Vector512<float> Of(Vector512<float> x) => x * LaneMath.Normal(x).Cumulative;

    private static Vector512<float> SlopeAt(Vector512<float> x)
    {
        (Vector512<float> cumulative, Vector512<float> exponential) = LaneMath.Normal(x);
        return Avx512F.FusedMultiplyAdd(x * s_density, exponential, cumulative);
    }

    private static void Copy(T* from, T* to, long count) => new ReadOnlySpan<T>(from, (int)count).CopyTo(new Span<T>(to, (int)count));

    private static void ForChunks(long count, Action<long, long> work) =>
        CpuKernels.For((count + Chunk - 1) / Chunk, (first, end) => work(first * Chunk, Math.Min(count, end * Chunk)));
}
