using System.Diagnostics;
using System.Diagnostics.Tracing;
using Microsoft.Diagnostics.NETCore.Client;
using Microsoft.Diagnostics.Tracing;
using Microsoft.Diagnostics.Tracing.EventPipe;

namespace Smae.Benchmarks;

/// <summary>
/// How much of some work is managed code: .NET's own sampler looks at all threads again and again and tells of each whether it is in managed code or in a
/// native call (or waiting). What the binding does before and after a native call counts as managed.
/// </summary>
internal sealed class ManagedTime
{
    // The kernel's numbers of the threads that take part; .NET has none for them. The sampler's own have no part in the work.
    private static readonly HashSet<int> s_threads = [];
    [ThreadStatic] private static bool s_known;
    private readonly TimeSpan _paused = GC.GetTotalPauseDuration();
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly MemoryStream _trace = new();
    private readonly EventPipeSession _session = new DiagnosticsClient(Environment.ProcessId).StartEventPipeSession(
        [new EventPipeProvider("Microsoft-DotNETCore-SampleProfiler", EventLevel.Informational)], requestRundown: false);
    private readonly Thread _copying;

    /// <summary>Begins to sample this process.</summary>
    public ManagedTime()
    {
        _copying = new Thread(() => _session.EventStream.CopyTo(_trace)) { IsBackground = true };   // read when all is over: that is managed code too
        _copying.Start();
    }

    /// <summary>Counts the calling thread among those that are looked at.</summary>
    public static void LookAtThisThread()
    {
        if (s_known) return;
        s_known = true;
        string? self = Directory.Exists("/proc/thread-self") ? Path.GetFileName(new FileInfo("/proc/thread-self").LinkTarget) : null;
        lock (s_threads)
            if (int.TryParse(self, out int number)) s_threads.Add(number);
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
        Dictionary<int, int> looks = [];
        int managed = 0;
        using var source = new EventPipeEventSource(_trace);
        new SampleProfilerTraceEventParser(source).ThreadSample += sample =>
        {
            if (!s_threads.Contains(sample.ThreadID)) return;
            looks[sample.ThreadID] = looks.GetValueOrDefault(sample.ThreadID) + 1;
            if (sample.Type == ClrThreadSampleType.Managed) managed++;
        };
        source.Process();
        return looks.Count == 0 ? double.NaN : managed / (double)looks.Values.Max() + pauses;   // the most: of a thread that was there all the time
    }
}
