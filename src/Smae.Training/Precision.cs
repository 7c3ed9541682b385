namespace Smae.Training;

/// <summary>The number format in which a model's matrix products run. Weights, optimiser, normalisation and losses are always float32.</summary>
public enum Precision
{
    /// <summary>32-bit floating point throughout: the reference.</summary>
    Float32,

    /// <summary>
    /// Products in bfloat16, everything else in float32 (what PyTorch calls autocast). Faster where the processor has instructions for it
    /// (AVX512-BF16, AMX, NVIDIA since Ampere), slower where it has not.
    /// </summary>
    BFloat16,
}

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
