using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Smae.Training;

/// <summary>Layer normalisation (Ba, Kiros and Hinton 2016) of float32 rows to rows of any type, and its way back.</summary>
/// <typeparam name="T">What a number of the result, and of its gradient, is in memory.</typeparam>
/// <typeparam name="TLane">How it is read and written.</typeparam>
internal static unsafe class LayerNormKernel<T, TLane> where T : unmanaged where TLane : struct, ILane<T>
{
    /// <summary>Numbers that rows must be a multiple of.</summary>
    public const int Width = 16;

    /// <summary>Normalises rows.</summary>
    /// <param name="x">The rows, <c>[count, length]</c>.</param>
    /// <param name="weight">Scale of each number in a row.</param>
    /// <param name="bias">Shift of each number in a row.</param>
    /// <param name="result">Where to.</param>
    /// <param name="statistics">Mean and inverse deviation of each row, for the way back, <c>[count, 2]</c>.</param>
    /// <param name="count">Rows.</param>
    /// <param name="length">Numbers in a row, a multiple of <see cref="Width"/>.</param>
    /// <param name="epsilon">Added to the variance.</param>
    public static void Forward(float* x, float* weight, float* bias, T* result, float* statistics, long count, int length, float epsilon) =>
        CpuKernels.For(count, (first, end) =>
        {
            for (long r = first; r < end; r++)
            {
                float* row = x + r * length;
                T* to = result + r * length;
                Vector512<float> sum = Vector512<float>.Zero, squares = Vector512<float>.Zero;
                for (int i = 0; i < length; i += Width) sum += Vector512.Load(row + i);
                float mean = Vector512.Sum(sum) / length;
                for (int i = 0; i < length; i += Width)
                {
                    Vector512<float> d = Vector512.Load(row + i) - Vector512.Create(mean);
                    squares = Avx512F.FusedMultiplyAdd(d, d, squares);
                }
                float inverse = 1 / MathF.Sqrt(Vector512.Sum(squares) / length + epsilon);
                (statistics[2 * r], statistics[2 * r + 1]) = (mean, inverse);
                for (int i = 0; i < length; i += Width)
                {
                    Vector512<float> normed = (Vector512.Load(row + i) - Vector512.Create(mean)) * inverse;
                    TLane.Store(Avx512F.FusedMultiplyAdd(normed, Vector512.Load(weight + i), Vector512.Load(bias + i)), to + i);
                }
            }
        });

    /// <summary>From gradients of the result to those of rows, scale and shift.</summary>
    /// <param name="gradient">Of the result.</param>
    /// <param name="x">The rows.</param>
    /// <param name="statistics">What <see cref="Forward"/> left.</param>
    /// <param name="weight">Scale of each number in a row.</param>
    /// <param name="rows">Gradients of the rows.</param>
    /// <param name="parameters">Gradients of scale and shift, <c>[2, length]</c>, zeros before.</param>
    /// <param name="count">Rows.</param>
    /// <param name="length">Numbers in a row.</param>
    public static void Backward(T* gradient, float* x, float* statistics, float* weight, float* rows, float* parameters, long count, int length)
    {
        var parts = new SortedList<long, float[]>();   // of each thread; added up in one order always
        CpuKernels.For(count, (first, end) =>
        {
            var own = new float[2 * length];
            fixed (float* sums = own)
                for (long r = first; r < end; r++)
                    BackwardRow(gradient + r * length, x + r * length, statistics[2 * r], statistics[2 * r + 1], weight, rows + r * length, sums, length);
            lock (parts) parts.Add(first, own);
        });
        foreach (float[] part in parts.Values)
            for (int i = 0; i < part.Length; i++) parameters[i] += part[i];
    }

    private static void BackwardRow(T* gradient, float* x, float mean, float inverse, float* weight, float* result, float* sums, int length)
    {
        Vector512<float> total = Vector512<float>.Zero, along = Vector512<float>.Zero;
        for (int i = 0; i < length; i += Width)
        {
            Vector512<float> g = TLane.Load(gradient + i), normed = (Vector512.Load(x + i) - Vector512.Create(mean)) * inverse;
            Avx512F.FusedMultiplyAdd(g, normed, Vector512.Load(sums + i)).Store(sums + i);
            (Vector512.Load(sums + length + i) + g).Store(sums + length + i);
            g *= Vector512.Load(weight + i);
            total += g;
            along = Avx512F.FusedMultiplyAdd(g, normed, along);
        }
        float meanGradient = Vector512.Sum(total) / length, meanAlong = Vector512.Sum(along) / length;
        for (int i = 0; i < length; i += Width)
        {
            Vector512<float> normed = (Vector512.Load(x + i) - Vector512.Create(mean)) * inverse;
            Vector512<float> g = TLane.Load(gradient + i) * Vector512.Load(weight + i) - Vector512.Create(meanGradient);
            (Avx512F.FusedMultiplyAddNegated(normed, Vector512.Create(meanAlong), g) * inverse).Store(result + i);
        }
    }
}
