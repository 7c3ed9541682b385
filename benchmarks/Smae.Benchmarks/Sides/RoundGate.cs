using System.Diagnostics;
using System.Text.Json;
using Smae.Training;
using TorchSharp;

namespace Smae.Benchmarks;

/// <summary>Lets a pretraining run go on for one epoch for each line on standard input and prints what the epoch took; the end of the input ends the run.</summary>
/// <param name="sampled">Whether it is sampled what of an epoch is managed code; that slows it down a little.</param>
internal sealed class RoundGate(bool sampled = false) : IProgress<TrainingProgress>
{
    private readonly CancellationTokenSource _over = new();
    private readonly Stopwatch _clock = new();
    private long _allocated;
    private long _losses;
    private ManagedTime? _managed;
    private bool _warm;

    public CancellationToken Over => _over.Token;

    /// <summary>Told whenever a loss is made, on any thread.</summary>
    public void LossMade()
    {
        if (sampled) ManagedTime.LookAtThisThread();
        Interlocked.Increment(ref _losses);
    }

    public void Report(TrainingProgress value)
    {
        if (!value.EpochEnded) return;
        if (sampled) ManagedTime.LookAtThisThread();   // the loop's own
        if (_warm)
        {
            SideRound round = Round(_clock, _allocated) with { Losses = _losses };
            if (_managed is not null) round = round with { ManagedThreads = _managed.Stop() };
            Console.WriteLine(JsonSerializer.Serialize(round, SideSettings.Json));
        }
        else Console.WriteLine(JsonSerializer.Serialize(SideStart.OfThisProcess(), SideSettings.Json));
        _warm = true;
        if (Console.In.ReadLine() is null) _over.Cancel();
        else if (sampled) _managed = new ManagedTime();
        _allocated = GC.GetTotalAllocatedBytes();
        _losses = 0;
        _clock.Restart();
    }

    /// <summary>Does <paramref name="work"/> once for each line, after a first time that does not count.</summary>
    public static void Each(Action work)
    {
        work();
        Console.WriteLine(JsonSerializer.Serialize(SideStart.OfThisProcess(), SideSettings.Json));
        while (Console.In.ReadLine() is not null)
        {
            long allocated = GC.GetTotalAllocatedBytes();
            var clock = Stopwatch.StartNew();
            work();
            Console.WriteLine(JsonSerializer.Serialize(Round(clock, allocated), SideSettings.Json));
        }
    }

    private static SideRound Round(Stopwatch clock, long allocatedBefore) => new(clock.Elapsed.TotalSeconds)
    {
        ManagedBytes = GC.GetTotalAllocatedBytes() - allocatedBefore, ResidentBytes = Environment.WorkingSet,
        TensorsAlive = torch.Tensor.TotalCount, MostTensorsAlive = torch.Tensor.PeakCount,
    };
}
