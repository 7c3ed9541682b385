using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static Smae.Training.CpuKernels;

namespace Smae.Training;

/// <summary>
/// The non-linearity after a layer's bias, and its way back. The exact GELU (Hendrycks and Gimpel 2016) is <c>x</c> times the share of a standard normal
/// distribution below x; its slope costs next to nothing where that share is known, so it is kept instead of x.
/// </summary>
/// <typeparam name="T">What a number is in memory.</typeparam>
/// <typeparam name="TLane">How it is read and written.</typeparam>
internal static unsafe class ActivationKernel<T, TLane> where T : unmanaged where TLane : struct, ILane<T>
{
    private static readonly float s_density = (float)(1 / Math.Sqrt(Math.Tau));

    /// <summary>The activation of <c>x + bias</c>; x itself becomes the slope there.</summary>
    /// <param name="x">Rows, <c>[count, length]</c>.</param>
    /// <param name="bias">The bias, <c>[length]</c>.</param>
    /// <param name="kind">Which activation.</param>
    /// <param name="result">Where to.</param>
    /// <param name="count">Rows.</param>
    /// <param name="length">Numbers in a row.</param>
    public static void Forward(T* x, float* bias, Activation kind, T* result, long count, int length) => For(count, (first, end) =>
    {
        for (long r = first; r < end; r++)
        {
            T* row = x + r * length, to = result + r * length;
            if (kind == Activation.Gelu) Gelu(row, bias, to, length);
            else Relu(row, bias, to, length);
        }
    });

    /// <summary>Gradients of the activation become those of what went in.</summary>
    /// <param name="gradient">Rows, <c>[count, length]</c>; written over.</param>
    /// <param name="slope">What <see cref="Forward"/> left of x.</param>
    /// <param name="sums">The gradient of the bias, zeros before.</param>
    /// <param name="count">Rows.</param>
    /// <param name="length">Numbers in a row.</param>
    public static void Backward(T* gradient, T* slope, float* sums, long count, int length) => Sum(count, sums, length, (first, end, own) =>
    {
        for (long r = first; r < end; r++)
            for (int i = 0; i < length; i += Width)
            {
                T* place = gradient + r * length + i;
                Vector512<float> g = TLane.Load(place) * TLane.Load(slope + r * length + i);
                TLane.Store(g, place);
                (Vector512.Load(own + i) + g).Store(own + i);
            }
    });

    private static void Gelu(T* x, float* bias, T* result, int length)
    {
        for (int i = 0; i < length; i += Width)
        {
            Vector512<float> v = TLane.Load(x + i) + Vector512.Load(bias + i);
            (Vector512<float> cumulative, Vector512<float> exponential) = LaneMath.Normal(v);
            TLane.Store(v * cumulative, result + i);
            TLane.Store(Avx512F.FusedMultiplyAdd(v * s_density, exponential, cumulative), x + i);
        }
    }

    private static void Relu(T* x, float* bias, T* result, int length)
    {
        for (int i = 0; i < length; i += Width)
        {
            Vector512<float> v = TLane.Load(x + i) + Vector512.Load(bias + i);
            TLane.Store(Vector512.Max(v, Vector512<float>.Zero), result + i);
            TLane.Store(Vector512.GreaterThan(v, Vector512<float>.Zero) & Vector512<float>.One, x + i);
        }
    }
}
