using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Smae.Training;

/// <summary>Functions of sixteen numbers at once.</summary>
internal static class LaneMath
{
    /// <summary>e to the power of numbers up to 88, to about the last place of a float32 (Cephes' expf); below -87 it is that of -87.</summary>
    public static Vector512<float> Exp(Vector512<float> x)
    {
        x = Vector512.Max(x, Vector512.Create(-87f));
        Vector512<float> n = Avx512F.RoundScale(x * 1.44269504088896341f, 0x08);   // to the nearest whole number
        x = Avx512F.FusedMultiplyAdd(n, Vector512.Create(-0.693359375f), x);
        x = Avx512F.FusedMultiplyAdd(n, Vector512.Create(2.12194440e-4f), x);
        Vector512<float> p = Vector512.Create(1.9875691500e-4f);
        p = Avx512F.FusedMultiplyAdd(p, x, Vector512.Create(1.3981999507e-3f));
        p = Avx512F.FusedMultiplyAdd(p, x, Vector512.Create(8.3334519073e-3f));
        p = Avx512F.FusedMultiplyAdd(p, x, Vector512.Create(4.1665795894e-2f));
        p = Avx512F.FusedMultiplyAdd(p, x, Vector512.Create(1.6666665459e-1f));
        p = Avx512F.FusedMultiplyAdd(p, x, Vector512.Create(5.0000001201e-1f));
        p = Avx512F.FusedMultiplyAdd(p, x * x, x) + Vector512<float>.One;
        return Avx512F.Scale(p, n);
    }

    /// <summary>
    /// The share of a standard normal distribution below x, to 1e-7 (Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26), and the
    /// exponential in its density.
    /// </summary>
    public static (Vector512<float> Cumulative, Vector512<float> Exponential) Normal(Vector512<float> x)
    {
        Vector512<float> z = Vector512.Abs(x) * 0.707106781186547524f, exponential = Exp(-(z * z));
        Vector512<float> t = Vector512<float>.One / Avx512F.FusedMultiplyAdd(z, Vector512.Create(0.3275911f), Vector512<float>.One);
        Vector512<float> p = Vector512.Create(1.061405429f);
        p = Avx512F.FusedMultiplyAdd(p, t, Vector512.Create(-1.453152027f));
        p = Avx512F.FusedMultiplyAdd(p, t, Vector512.Create(1.421413741f));
        p = Avx512F.FusedMultiplyAdd(p, t, Vector512.Create(-0.284496736f));
        p = Avx512F.FusedMultiplyAdd(p, t, Vector512.Create(0.254829592f));
        Vector512<float> above = p * t * exponential * 0.5f;   // the share beyond |x|
        return (Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512<float>.Zero), above, Vector512<float>.One - above), exponential);
    }
}
