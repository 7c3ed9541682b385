using System.Globalization;
using System.Runtime;
using System.Runtime.InteropServices;

namespace Reproduction;

/// <summary>
/// The most memory that the process has held since a moment. Linux keeps that number and lets a process start it anew; elsewhere there is none. It is
/// the memory of the machine, images and libraries included: TorchSharp does not tell how much of a GPU's is taken.
/// </summary>
internal static class PeakMemory
{
    /// <summary>Starts anew, after giving back what earlier stages have freed.</summary>
    public static void Restart()
    {
        if (!OperatingSystem.IsLinux()) return;
        GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
        GC.Collect();
        GC.WaitForPendingFinalizers();
        try
        {
            _ = Trim(0);   // Smae keeps malloc from giving memory back by itself, which costs half the speed
        }
        catch (EntryPointNotFoundException)
        {
            // not glibc
        }
        try
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // a container may forbid it: the peak is then that of the whole process so far
        }
    }

    /// <summary>The peak since then in MiB; null where it is unknown.</summary>
    public static double? Read()
    {
        if (!OperatingSystem.IsLinux()) return null;
        string? line = File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return line is null ? null : double.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }

    [DllImport("libc.so.6", EntryPoint = "malloc_trim")]
    private static extern int Trim(nuint keep);
}
