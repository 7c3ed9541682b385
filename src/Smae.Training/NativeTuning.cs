using System.Runtime.InteropServices;

namespace Smae.Training;

/// <summary>
/// Settings of the C library that make training on a CPU faster, for the whole process: malloc keeps large blocks of memory instead of returning and clearing
/// them at every step, and OpenMP's threads spin for a short while only. On Linux with glibc; elsewhere nothing is set.
/// </summary>
/// <remarks>
/// A training run makes them when it starts; a process that only embeds or scores is left as it is, unless it calls <see cref="Apply"/>. The environment
/// variable <c>SMAE_NATIVE_TUNING=0</c> switches them off, and <c>OMP_WAIT_POLICY</c> and <c>GOMP_SPINCOUNT</c> are never overruled. Smae never changes
/// libtorch's number of threads: <c>OMP_NUM_THREADS</c> and <c>torch.set_num_threads</c> hold.
/// </remarks>
public static partial class NativeTuning
{
    private const int TrimThreshold = -1, TopPad = -2, MmapMax = -4;   // glibc's M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX
    private static readonly Lazy<bool> s_applied = new(Set);

    /// <summary>Threads that Smae computes with on a CPU: libtorch's number on the thread that asks.</summary>
    public static int Threads => torch.get_num_threads();

    /// <summary>
    /// Makes the settings, if that has not been done and they are not switched off. OpenMP reads its own only once: for that an application calls this before
    /// its first use of TorchSharp.
    /// </summary>
    public static void Apply() => _ = s_applied.Value;

    private static bool Set()
    {
        if (Environment.GetEnvironmentVariable("SMAE_NATIVE_TUNING") == "0" || !OperatingSystem.IsLinux()) return false;
        try
        {
            // In the C environment: .NET's own is a copy. Spinning for libgomp's 300,000 rounds costs half of the speed as soon as another process wants
            // a processor too; 10,000 are some 30 microseconds.
            if (Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is null) _ = setenv("GOMP_SPINCOUNT", "10000", 0);
            _ = mallopt(MmapMax, 0);
            _ = mallopt(TrimThreshold, int.MaxValue);
            _ = mallopt(TopPad, 256 << 20);
            return true;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return false;   // another C library
        }
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int setenv(string name, string value, int overwrite);

    [LibraryImport("libc")]
    private static partial int mallopt(int parameter, int value);
}
