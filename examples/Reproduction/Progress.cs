using System.Globalization;
using System.Runtime;
using System.Runtime.InteropServices;
using Smae.Training;
using Spectre.Console;

namespace Reproduction;

/// <summary>Shows how a stage of the experiment goes: a progress bar in a terminal, a line now and then elsewhere.</summary>
internal static class StageProgress
{
    private static readonly TimeSpan s_lineEvery = TimeSpan.FromSeconds(30);

    public static T Show<T>(string title, Func<IProgress<TrainingProgress>, T> work)
    {
        if (!AnsiConsole.Profile.Capabilities.Interactive || Console.IsOutputRedirected)
        {
            var last = TimeSpan.Zero;
            return work(new Report(p =>
            {
                if (!p.EpochEnded || (p.Elapsed - last < s_lineEvery && p.Step < p.TotalSteps)) return;
                last = p.Elapsed;
                Console.WriteLine($"{title}: {p}");
            }));
        }
        return AnsiConsole.Progress()
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                ProgressTask bar = context.AddTask(title);
                return work(new Report(p =>
                {
                    bar.MaxValue = p.TotalSteps;
                    bar.Value = p.Step;
                    bar.Description = $"{title}  epoch {p.Epoch}/{p.Epochs}  loss {p.Loss:F4}  {p.ImagesPerSecond:F0} images/s";
                }));
            });
    }

    /// <summary>Reports at once: <see cref="Progress{T}"/> would do so on other threads, out of order.</summary>
    private sealed class Report(Action<TrainingProgress> show) : IProgress<TrainingProgress>
    {
        void IProgress<TrainingProgress>.Report(TrainingProgress value) => show(value);
    }
}

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
