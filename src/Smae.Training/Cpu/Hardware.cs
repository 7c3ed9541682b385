namespace Smae.Training;

/// <summary>What the machine is good at.</summary>
public static class Hardware
{
    /// <summary>The number format that trains faster here.</summary>
    /// <returns><see cref="Precision.BFloat16"/> on a GPU and on processors with instructions for it, else <see cref="Precision.Float32"/>.</returns>
    public static Precision FastestPrecision(bool gpu = false) => gpu || HasBFloat16Instructions() ? Precision.BFloat16 : Precision.Float32;

    // .NET has no test for AVX512-BF16 or AMX; the kernel lists both.
    private static bool HasBFloat16Instructions()
    {
        const string info = "/proc/cpuinfo";
        if (!OperatingSystem.IsLinux() || !File.Exists(info)) return false;
        string? flags = File.ReadLines(info).FirstOrDefault(line => line.StartsWith("flags", StringComparison.Ordinal));
        return flags is not null && (flags.Contains(" avx512_bf16") || flags.Contains(" amx_bf16"));
    }
}
