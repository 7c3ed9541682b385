using System.Numerics;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>
/// Three Tausworthe generators and a linear one, combined; the same numbers as ML.NET's from the same seed.
/// As there, newer methods of <see cref="Random"/> such as <c>NextSingle</c> and <c>NextInt64</c> are not overridden and do not follow the seed.
/// </summary>
internal sealed class TauswortheHybrid : Random
{
    private uint _z1;
    private uint _z2;
    private uint _z3;
    private uint _z4;

    public TauswortheHybrid(uint seed)
    {
        _z1 = seed;
        _z2 = MurmurRound(_z1, seed);
        _z3 = MurmurRound(_z2, seed);
        _z4 = MurmurRound(_z3, seed);
    }

    public TauswortheHybrid(Random source)
    {
        _z1 = Large(source);
        _z2 = Large(source);
        _z3 = Large(source);
        _z4 = Any(source);
    }

    /// <summary>One round of MurmurHash3 over 32 bits.</summary>
    public static uint MurmurRound(uint hash, uint chunk)
    {
        hash ^= BitOperations.RotateLeft(chunk * 0xCC9E2D51, 15) * 0x1B873593;
        return (BitOperations.RotateLeft(hash, 13) * 5) + 0xE6546B64;
    }

    // 23 bits, so that the conversion is exact and never reaches 1.
    public float NextFloat() => (NextBits() >> 9) * (1f / (1 << 23));

    public int NextSigned() => (int)NextBits();

    public override double NextDouble() => NextBits() * (1.0 / (1L << 32));

    public override int Next()
    {
        uint bits = NextBits();
        return (int)(bits + (bits & 0x80000000U));
    }

    public override int Next(int maxValue)
    {
        Contracts.CheckParam(maxValue >= 0, nameof(maxValue), "maxValue must be non-negative");
        return (int)(((ulong)NextBits() * (ulong)maxValue) >> 32);
    }

    public override int Next(int minValue, int maxValue)
    {
        Contracts.CheckParam(minValue <= maxValue, nameof(minValue), "minValue must not exceed maxValue.");
        long range = (long)maxValue - minValue;
        return (int)((long)(NextDouble() * range) + minValue);
    }

    public override void NextBytes(byte[] buffer)
    {
        Contracts.CheckValue(buffer, nameof(buffer));
        for (int i = 0; i < buffer.Length; i++)
            buffer[i] = (byte)Next();
    }

    private static uint Any(Random source) => ((uint)source.Next(0x10000) << 16) | (uint)source.Next(0x10000);

    // The Tausworthe generators want seeds of 128 and more.
    private static uint Large(Random source)
    {
        uint seed;
        do
            seed = Any(source);
        while (seed < 128);
        return seed;
    }

    private static uint Step(uint z, int s1, int s2, int s3, uint mask) => ((z & mask) << s3) ^ (((z << s1) ^ z) >> s2);

    private uint NextBits()
    {
        _z1 = Step(_z1, 13, 19, 12, ~0x1U);
        _z2 = Step(_z2, 2, 25, 4, ~0x7U);
        _z3 = Step(_z3, 3, 11, 17, ~0xFU);
        _z4 = (1664525 * _z4) + 1013904223;
        return _z1 ^ _z2 ^ _z3 ^ _z4;
    }
}
