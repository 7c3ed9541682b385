using System.Runtime.Intrinsics;
using static Smae.Training.CpuKernels;

namespace Smae.Training;

/// <summary>The softmax of rows of scaled numbers, in place, and its way back.</summary>
/// <typeparam name="T">What a number is in memory.</typeparam>
/// <typeparam name="TLane">How it is read and written.</typeparam>
internal static unsafe class SoftmaxKernel<T, TLane> where T : unmanaged where TLane : struct, ILane<T>
{
    /// <summary>Each row becomes <c>softmax(scale * row)</c>; all arithmetic is float32.</summary>
    /// <param name="rows">The rows, one after the other.</param>
    /// <param name="count">How many.</param>
    /// <param name="length">Numbers in a row.</param>
    /// <param name="scale">What the numbers are multiplied by first.</param>
    public static void Forward(T* rows, long count, int length, float scale) => For(count, (first, end) =>
    {
        int padded = (length + Width - 1) / Width * Width;
        var buffer = new float[padded];
        fixed (float* row = buffer)
            for (long r = first; r < end; r++)
            {
                T* place = rows + r * length;
                float largest = Widen(place, row, length, padded, scale);
                Vector512<float> sum = Vector512<float>.Zero, offset = Vector512.Create(largest);
                for (int i = 0; i < padded; i += Width)
                {
                    Vector512<float> e = LaneMath.Exp(Vector512.Load(row + i) - offset);
                    e.Store(row + i);
                    sum += e;
                }
                Narrow(row, place, length, 1 / Vector512.Sum(sum));
            }
    });

    /// <summary>
    /// From gradients of the softmax to gradients of what went in: <c>scale * p * (g - sum(g * p))</c>, written over <paramref name="gradients"/>.
    /// </summary>
    /// <param name="gradients">The rows of gradients, one after the other.</param>
    /// <param name="probabilities">What <see cref="Forward"/> made.</param>
    /// <param name="count">Rows.</param>
    /// <param name="length">Numbers in a row.</param>
    /// <param name="scale">The same as there.</param>
    public static void Backward(T* gradients, T* probabilities, long count, int length, float scale) => For(count, (first, end) =>
    {
        int whole = length / Width * Width;
        for (long r = first; r < end; r++)
        {
            T* g = gradients + r * length, p = probabilities + r * length;
            Vector512<float> sum = Vector512<float>.Zero;
            for (int i = 0; i < whole; i += Width) sum = Vector512.FusedMultiplyAdd(TLane.Load(g + i), TLane.Load(p + i), sum);
            float mean = Vector512.Sum(sum);
            for (int i = whole; i < length; i++) mean += TLane.Read(g[i]) * TLane.Read(p[i]);
            for (int i = 0; i < whole; i += Width) TLane.Store(TLane.Load(p + i) * scale * (TLane.Load(g + i) - Vector512.Create(mean)), g + i);
            for (int i = whole; i < length; i++) g[i] = TLane.Round(TLane.Read(p[i]) * scale * (TLane.Read(g[i]) - mean));
        }
    });

    /// <summary>Copies a scaled row, filled up with what the exponential takes to nothing.</summary>
    /// <returns>The largest number.</returns>
    private static float Widen(T* from, float* to, int length, int padded, float scale)
    {
        int whole = length / Width * Width;
        Vector512<float> largest = Vector512.Create(float.NegativeInfinity);
        for (int i = 0; i < whole; i += Width)
        {
            Vector512<float> x = TLane.Load(from + i) * scale;
            x.Store(to + i);
            largest = Vector512.Max(largest, x);
        }
        float max = float.NegativeInfinity;
        for (int i = 0; i < Width; i++) max = Math.Max(max, largest[i]);
        for (int i = whole; i < length; i++) max = Math.Max(max, to[i] = TLane.Read(from[i]) * scale);
        for (int i = length; i < padded; i++) to[i] = float.NegativeInfinity;
        return max;
    }

    private static void Narrow(float* from, T* to, int length, float factor)
    {
        int whole = length / Width * Width;
        for (int i = 0; i < whole; i += Width) TLane.Store(Vector512.Load(from + i) * factor, to + i);
        for (int i = whole; i < length; i++) to[i] = TLane.Round(from[i] * factor);
    }
}
