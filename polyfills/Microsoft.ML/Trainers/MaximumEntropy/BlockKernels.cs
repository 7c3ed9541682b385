using System.Numerics;
using System.Runtime.InteropServices;

namespace Microsoft.ML.Trainers;

/// <summary>Four rows at a time, so that what they share is loaded once for four.</summary>
internal static class BlockKernels
{
    /// <summary>The scalar products of the shared vector with each of the four.</summary>
    public static (float A, float B, float C, float D) Dot(
        ReadOnlySpan<float> shared, ReadOnlySpan<float> a, ReadOnlySpan<float> b, ReadOnlySpan<float> c, ReadOnlySpan<float> d)
    {
        ref float s0 = ref MemoryMarshal.GetReference(shared);
        ref float a0 = ref MemoryMarshal.GetReference(a[..shared.Length]);
        ref float b0 = ref MemoryMarshal.GetReference(b[..shared.Length]);
        ref float c0 = ref MemoryMarshal.GetReference(c[..shared.Length]);
        ref float d0 = ref MemoryMarshal.GetReference(d[..shared.Length]);
        Vector<float> sumA = default, sumB = default, sumC = default, sumD = default;
        int whole = shared.Length - (shared.Length % Vector<float>.Count);
        for (nuint i = 0; i < (nuint)whole; i += (nuint)Vector<float>.Count)
        {
            Vector<float> s = Vector.LoadUnsafe(ref s0, i);
            sumA = Vector.FusedMultiplyAdd(s, Vector.LoadUnsafe(ref a0, i), sumA);
            sumB = Vector.FusedMultiplyAdd(s, Vector.LoadUnsafe(ref b0, i), sumB);
            sumC = Vector.FusedMultiplyAdd(s, Vector.LoadUnsafe(ref c0, i), sumC);
            sumD = Vector.FusedMultiplyAdd(s, Vector.LoadUnsafe(ref d0, i), sumD);
        }

        (float A, float B, float C, float D) sum = (Vector.Sum(sumA), Vector.Sum(sumB), Vector.Sum(sumC), Vector.Sum(sumD));
        for (int i = whole; i < shared.Length; i++)
            sum = (sum.A + (shared[i] * a[i]), sum.B + (shared[i] * b[i]), sum.C + (shared[i] * c[i]), sum.D + (shared[i] * d[i]));
        return sum;
    }

    /// <summary>Adds each of the four, times its factor, to the shared vector.</summary>
    public static void AddMultiples(
        Span<float> shared, ReadOnlySpan<float> a, float byA, ReadOnlySpan<float> b, float byB,
        ReadOnlySpan<float> c, float byC, ReadOnlySpan<float> d, float byD)
    {
        ref float s0 = ref MemoryMarshal.GetReference(shared);
        ref float a0 = ref MemoryMarshal.GetReference(a[..shared.Length]);
        ref float b0 = ref MemoryMarshal.GetReference(b[..shared.Length]);
        ref float c0 = ref MemoryMarshal.GetReference(c[..shared.Length]);
        ref float d0 = ref MemoryMarshal.GetReference(d[..shared.Length]);
        Vector<float> factorA = new(byA), factorB = new(byB), factorC = new(byC), factorD = new(byD);
        int whole = shared.Length - (shared.Length % Vector<float>.Count);
        for (nuint i = 0; i < (nuint)whole; i += (nuint)Vector<float>.Count)
        {
            Vector<float> sum = Vector.FusedMultiplyAdd(factorA, Vector.LoadUnsafe(ref a0, i), Vector.LoadUnsafe(ref s0, i));
            sum = Vector.FusedMultiplyAdd(factorB, Vector.LoadUnsafe(ref b0, i), sum);
            sum = Vector.FusedMultiplyAdd(factorC, Vector.LoadUnsafe(ref c0, i), sum);
            sum = Vector.FusedMultiplyAdd(factorD, Vector.LoadUnsafe(ref d0, i), sum);
            sum.StoreUnsafe(ref s0, i);
        }

        for (int i = whole; i < shared.Length; i++)
            shared[i] += (byA * a[i]) + (byB * b[i]) + (byC * c[i]) + (byD * d[i]);
    }
}
