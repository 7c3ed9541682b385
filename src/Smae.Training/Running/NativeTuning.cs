using System.Runtime.InteropServices;
using TorchSharp;

namespace Smae.Training;

/// <summary>
/// Settings of native libraries that cost speed when left alone: glibc's malloc, libtorch's threads and how they wait.
/// They are made once in a process, best before libtorch is first used. The environment variable <c>SMAE_NATIVE_TUNING=0</c> switches them off; what the environment already
/// says (<c>OMP_NUM_THREADS</c>, <c>OMP_WAIT_POLICY</c>, <c>GOMP_SPINCOUNT</c>) is never changed.
/// </summary>
public static partial class NativeTuning
{
    private const int TrimThreshold = -1, TopPad = -2, MmapMax = -4;   // glibc's M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX
    private static readonly Lazy<int> s_threads = new(Set);

    /// <summary>
    /// Threads that Smae computes with on a CPU: libtorch's number when Smae is first used in a process, so <c>OMP_NUM_THREADS</c> and an earlier
    /// <c>torch.set_num_threads</c> hold; the number of processors where libtorch finds only one and the environment does not say so.
    /// </summary>
    public static int Threads => s_threads.Value;

    /// <summary>
    /// Makes the settings, if that has not been done and they are not switched off, and gives the thread that calls it its <see cref="Threads"/>
    /// (libtorch keeps that number for each thread). All of Smae calls it by itself.
    /// </summary>
    public static void Apply()
    {
        int threads = Threads;   // before libtorch is asked anything
        if (torch.get_num_threads() != threads) torch.set_num_threads(threads);
    }

    private static int Set()
    {
        bool allowed = Environment.GetEnvironmentVariable("SMAE_NATIVE_TUNING") != "0";
        if (allowed && OperatingSystem.IsLinux()) SetCLibrary();

        // Where libtorch cannot read the processor's topology (some virtual machines) it takes a single thread.
        int threads = torch.get_num_threads();
        return allowed && threads == 1 && Environment.GetEnvironmentVariable("OMP_NUM_THREADS") is null ? Environment.ProcessorCount : threads;
    }

    private static void SetCLibrary()
    {
        try
        {
            // Threads that wait for others spin for so many rounds, some 30 microseconds, before they sleep. libgomp's own 300,000 cost half of the speed as
            // soon as another process wants a processor too. Set in the C environment, which it reads when it is loaded: .NET's own is a copy.
            if (Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is null) _ = setenv("GOMP_SPINCOUNT", "10000", 0);

            // A step allocates and frees the same large tensors again and again: keep the memory instead of mapping and clearing it anew each time.
            _ = mallopt(MmapMax, 0);
            _ = mallopt(TrimThreshold, int.MaxValue);
            _ = mallopt(TopPad, 256 << 20);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // another C library: nothing to set
        }
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int setenv(string name, string value, int overwrite);

    [LibraryImport("libc")]
    private static partial int mallopt(int parameter, int value);
}
