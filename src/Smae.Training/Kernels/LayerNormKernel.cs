using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static Smae.Training.CpuKernels;

namespace Smae.Training;

/// <summary>Layer normalisation (Ba, Kiros and Hinton 2016) of float32 rows to rows of any type, and its way back.</summary>
/// <typeparam name="T">What a number of the result, and of its gradient, is in memory.</typeparam>
/// <typeparam name="TLane">How it is read and written.</typeparam>
internal static unsafe class LayerNormKernel<T, TLane> where T : unmanaged where TLane : struct, ILane<T>
{
    /// <summary>Normalises rows.</summary>
    /// <param name="x">The rows, <c>[count, length]</c>.</param>
    /// <param name="norm">Scale and shift; takes the statistics.</param>
    /// <param name="result">Where to.</param>
    /// <param name="count">Rows.</param>
    /// <param name="length">Numbers in a row.</param>
    public static void Forward(float* x, NormRows norm, T* result, long count, int length) => For(count, (first, end) =>
    {
        for (long r = first; r < end; r++) Row(x + r * length, norm, r, result + r * length, length);
    });

    /// <summary>From gradients of the result to those of rows, scale and shift.</summary>
    /// <param name="gradient">Of the result.</param>
    /// <param name="x">The rows.</param>
    /// <param name="norm">As <see cref="Forward"/> left it.</param>
    /// <param name="result">Gradients of the rows.</param>
    /// <param name="sums">Gradients of scale and shift, <c>[2, length]</c>, zeros before.</param>
    /// <param name="count">Rows.</param>
    /// <param name="length">Numbers in a row.</param>
    public static void Backward(T* gradient, float* x, NormRows norm, float* result, float* sums, long count, int length) =>
        Sum(count, sums, 2 * length, (first, end, own) =>
        {
            for (long r = first; r < end; r++) BackwardRow(gradient + r * length, null, x + r * length, norm, r, null, result + r * length, own, length);
        });

    /// <summary>Normalises one row.</summary>
    public static void Row(float* x, NormRows norm, long row, T* result, int length)
    {
        Vector512<float> sum = Vector512<float>.Zero, squares = Vector512<float>.Zero;
        for (int i = 0; i < length; i += Width) sum += Vector512.Load(x + i);
        Vector512<float> mean = Vector512.Create(Vector512.Sum(sum) / length);
        for (int i = 0; i < length; i += Width)
        {
            Vector512<float> d = Vector512.Load(x + i) - mean;
            squares = Avx512F.FusedMultiplyAdd(d, d, squares);
        }
        float inverse = 1 / MathF.Sqrt(Vector512.Sum(squares) / length + norm.Epsilon);
        (norm.Statistics[2 * row], norm.Statistics[2 * row + 1]) = (mean.ToScalar(), inverse);
        for (int i = 0; i < length; i += Width) TLane.Store(Normed(x, norm, mean, inverse, i), result + i);
    }

    /// <summary>Sixteen numbers of a row, normalised.</summary>
    public static Vector512<float> Normed(float* x, NormRows norm, Vector512<float> mean, float inverse, int i) =>
        Avx512F.FusedMultiplyAdd((Vector512.Load(x + i) - mean) * inverse, Vector512.Load(norm.Weight + i), Vector512.Load(norm.Bias + i));

    /// <summary>The way back of one row.</summary>
    /// <param name="gradient">Of the result.</param>
    /// <param name="more">A further gradient of the result; null for none.</param>
    /// <param name="x">The row.</param>
    /// <param name="norm">The normalisation.</param>
    /// <param name="row">Which row it is.</param>
    /// <param name="added">Added to the gradient of the row; null for none.</param>
    /// <param name="result">The gradient of the row.</param>
    /// <param name="sums">Gradients of scale and shift are added here, <c>[2, length]</c>.</param>
    /// <param name="length">Numbers in a row.</param>
    public static void BackwardRow(
        T* gradient, float* more, float* x, NormRows norm, long row, float* added, float* result, float* sums, int length)
    {
        (Vector512<float> mean, float inverse) = (Vector512.Create(norm.Statistics[2 * row]), norm.Statistics[2 * row + 1]);
        Vector512<float> total = Vector512<float>.Zero, along = Vector512<float>.Zero;
        for (int i = 0; i < length; i += Width)
        {
            Vector512<float> g = TLane.Load(gradient + i), normed = (Vector512.Load(x + i) - mean) * inverse;
            if (more != null) g += Vector512.Load(more + i);
            Avx512F.FusedMultiplyAdd(g, normed, Vector512.Load(sums + i)).Store(sums + i);
            (Vector512.Load(sums + length + i) + g).Store(sums + length + i);
            g *= Vector512.Load(norm.Weight + i);
            total += g;
            along = Avx512F.FusedMultiplyAdd(g, normed, along);
        }
        Vector512<float> meanGradient = Vector512.Create(Vector512.Sum(total) / length), meanAlong = Vector512.Create(Vector512.Sum(along) / length);
        for (int i = 0; i < length; i += Width)
        {
            Vector512<float> g = TLane.Load(gradient + i), normed = (Vector512.Load(x + i) - mean) * inverse;
            if (more != null) g += Vector512.Load(more + i);
            g = g * Vector512.Load(norm.Weight + i) - meanGradient;
            g = Avx512F.FusedMultiplyAddNegated(normed, meanAlong, g) * inverse;
            if (added != null) g += Vector512.Load(added + i);
            g.Store(result + i);
        }
    }
}
