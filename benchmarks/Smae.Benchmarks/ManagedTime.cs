using System.Diagnostics;
using System.Diagnostics.Tracing;
using Microsoft.Diagnostics.NETCore.Client;
using Microsoft.Diagnostics.Tracing;
using Microsoft.Diagnostics.Tracing.EventPipe;
using Microsoft.Diagnostics.Tracing.Parsers.Clr;

namespace Smae.Benchmarks;

/// <summary>
/// How much of some work is managed code: .NET's own sampler looks at all threads again and again and tells of each whether it is in managed code or in a
/// native call (or waiting). What the binding does before and after a native call counts as managed.
/// </summary>
internal sealed class ManagedTime
{
    private readonly TimeSpan _paused = GC.GetTotalPauseDuration();
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly MemoryStream _trace = new();
    private readonly EventPipeSession _session;
    private readonly Thread _copying;

    // The kernel's numbers of the threads that take part; .NET has none for them.
    private static readonly HashSet<int> s_threads = [];
    [ThreadStatic] private static bool t_known;

    /// <summary>Counts the calling thread among those that are looked at: others, such as the sampler's own, have no part in the work.</summary>
    public static void LookAtThisThread()
    {
        if (t_known) return;
        t_known = true;
        string? self = Directory.Exists("/proc/thread-self") ? Path.GetFileName(new FileInfo("/proc/thread-self").LinkTarget) : null;
        lock (s_threads)
            if (int.TryParse(self, out int number)) s_threads.Add(number);
    }

    /// <summary>Begins to sample this process.</summary>
    public ManagedTime()
    {
        var sampler = new EventPipeProvider("Microsoft-DotNETCore-SampleProfiler", EventLevel.Informational);
        _session = new DiagnosticsClient(Environment.ProcessId).StartEventPipeSession([sampler], requestRundown: false);
        // Read only when all is over: reading is managed code too.
        _copying = new Thread(() => _session.EventStream.CopyTo(_trace)) { IsBackground = true };
        _copying.Start();
    }

    /// <summary>Stops.</summary>
    /// <returns>How many threads were in managed code on average; a pause for garbage collection counts as one.</returns>
    public double Stop()
    {
        double pauses = (GC.GetTotalPauseDuration() - _paused) / Stopwatch.GetElapsedTime(_start);
        _session.Stop();
        _copying.Join();
        _session.Dispose();
        _trace.Position = 0;
        var samples = new Dictionary<int, (int All, int Managed)>();
        using var source = new EventPipeEventSource(_trace);
        new SampleProfilerTraceEventParser(source).ThreadSample += sample =>
        {
            if (!s_threads.Contains(sample.ThreadID)) return;
            (int all, int managed) = samples.GetValueOrDefault(sample.ThreadID);
            samples[sample.ThreadID] = (all + 1, managed + (sample.Type == ClrThreadSampleType.Managed ? 1 : 0));
        };
        source.Process();
        if (samples.Count == 0) return double.NaN;
        int looks = samples.Values.Max(s => s.All);   // at a thread that was there all the time
        return samples.Values.Sum(s => s.Managed) / (double)looks + pauses;
    }
}
