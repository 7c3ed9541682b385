namespace Smae.Training;

/// <summary>Random numbers for work on the CPU that runs in parallel (SplitMix64): the same from the same seed, on every platform and version.</summary>
internal sealed class RandomSequence(long seed)
{
    private ulong _state = (ulong)seed;

    public ulong Next()
    {
        ulong z = unchecked(_state += 0x9E3779B97F4A7C15UL);
        z = unchecked((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL);
        z = unchecked((z ^ (z >> 27)) * 0x94D049BB133111EBUL);
        return z ^ (z >> 31);
    }

    /// <summary>Uniform in [from, to).</summary>
    public double Uniform(double from, double to) => from + (to - from) * ((Next() >> 11) * (1.0 / (1UL << 53)));

    /// <summary>A whole number in [0, limit).</summary>
    public int Below(int limit) => (int)(((UInt128)Next() * (ulong)limit) >> 64);
}
