using System.Diagnostics;
using System.Text.Json;

namespace Smae.Benchmarks;

/// <summary>What a side of a comparison does: given to its process as JSON, whether that is this program or <c>pytorch/peer.py</c>.</summary>
internal sealed record SideSettings
{
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web);

    /// <summary>
    /// train, smae (train with a critic), allreduce (train, and add up numbers over all ranks) or encode; only in this program: fine-tune and supervised
    /// (train a classifier), plain (train the peer in plain TorchSharp), onnx and onnx-int8 (encode with
    /// ONNX Runtime), batch (what a step of training is given, without the step), matmul (products of square matrices of 2048x2048), decode, decode-skia
    /// and decode-mlnet (JPEG files to pixels).
    /// </summary>
    public required string Job { get; init; }

    /// <summary>Peers only: whether they get the settings that Smae makes by itself.</summary>
    public bool Tuned { get; init; } = true;

    public bool Bf16 { get; init; }

    /// <summary>Steps in a round.</summary>
    public int Steps { get; init; } = 4;

    public int Batch { get; init; } = 128;

    /// <summary>Smae's training only: parts that a batch is worked through in, one after the other.</summary>
    public int Accumulation { get; init; } = 1;

    /// <summary>Smae's training only: whether it is sampled what of it is managed code.</summary>
    public bool Sampled { get; init; }

    public int MatrixSide { get; init; } = 2048;

    /// <summary>train and allreduce: the processes under MPI, 0 for none.</summary>
    public int Ranks { get; init; }

    /// <summary>allreduce only: how many numbers are added up over all ranks in each step.</summary>
    public int Numbers { get; init; }

    /// <summary>Share of the patches that is hidden.</summary>
    public double Ratio { get; init; } = 0.75;

    /// <summary>batch only: whether images are flipped, cropped and resized at random, as in MAE's pretraining.</summary>
    public bool Augment { get; init; }

    public string Device { get; init; } = "cpu";

    /// <summary>Threads of a tuned PyTorch, and of decoding.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>decode only: the folder of JPEG files.</summary>
    public string? Folder { get; init; }

    public ModelShape Model { get; init; } = ModelShape.VitLite;
}

/// <summary>What a side says of itself once it is warm.</summary>
internal sealed record SideStart(string Version, int Threads);

/// <summary>
/// What a round of a side took. Memory, tensors (alive after the round, and the most at once so far) and bytes allocated on the managed heap are told by
/// this program only; by Smae's training how often a loss was made (a step shared out among threads makes several) and, if sampled, how many threads
/// were in managed code on average.
/// </summary>
internal sealed record SideRound(
    double Seconds, long ManagedBytes = 0, long ResidentBytes = 0, long TensorsAlive = 0, long MostTensorsAlive = 0, long Losses = 0, double ManagedThreads = 0);

/// <summary>What was measured of a side.</summary>
internal sealed record SideResult(string Name, SideSettings Settings, SideStart Start, IReadOnlyList<SideRound> Rounds, long PeakResidentBytes)
{
    public Spread StepSeconds => Spread.Of(Rounds.Select(round => round.Seconds / Settings.Steps));

    public double ImagesPerSecond => Settings.Batch / StepSeconds.Median;

    /// <summary>How many times as fast as another side this one is: the ratio of the medians.</summary>
    public double SpeedOver(SideResult other) => ImagesPerSecond / other.ImagesPerSecond;
}

/// <summary>A side: a process of its own, since malloc and threads are set for a whole process. Without a start it is this program.</summary>
internal sealed record Side(string Name, SideSettings Settings, Func<ProcessStartInfo>? Start = null)
{
    // Threads of a side that has just finished may spin for a while before they sleep.
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(150);

    /// <summary>Lets sides take turns, one at a time, forwards and backwards, so that what else the machine does falls on all of them.</summary>
    /// <param name="sides">The sides; all are started and warmed up first.</param>
    /// <param name="rounds">Rounds that count.</param>
    /// <param name="say">Told what is going on.</param>
    /// <param name="warmUp">
    /// Whether a round that does not count comes before each that does: while the others worked, a side's memory left the caches and, on machines that
    /// take back what lies idle, the memory too, which costs nothing in a training that never rests. Default true.
    /// </param>
    /// <exception cref="InvalidOperationException">A side failed.</exception>
    public static IReadOnlyList<SideResult> Measure(IReadOnlyList<Side> sides, int rounds, Action<string> say, bool warmUp = true)
    {
        var running = new List<SideProcess>();
        try
        {
            foreach (Side side in sides)
            {
                say($"warming up: {side.Name}");
                running.Add(new SideProcess(side));
                running[^1].WarmUp();
            }
            for (int round = 0; round < rounds; round++)
            {
                say($"round {round + 1} of {rounds}");
                foreach (SideProcess side in round % 2 == 0 ? running : Enumerable.Reverse(running))
                {
                    Thread.Sleep(s_pause);
                    if (warmUp) side.Round(counts: false);
                    side.Round();
                }
            }
            return [.. running.Select(side => side.Result)];
        }
        finally
        {
            foreach (SideProcess side in running) side.Dispose();
        }
    }
}

/// <summary>A side at work: does a round for each line that it is given and sleeps in between.</summary>
internal sealed class SideProcess : IDisposable
{
    private readonly List<SideRound> _rounds = [];
    private readonly Side _side;
    private readonly Process _process;
    private SideStart? _start;

    public SideProcess(Side side)
    {
        ProcessStartInfo start = side.Start?.Invoke() ?? new ProcessStartInfo("dotnet", [typeof(Side).Assembly.Location, "side"]);
        start.ArgumentList.Add(JsonSerializer.Serialize(side.Settings, SideSettings.Json));
        start.RedirectStandardInput = start.RedirectStandardOutput = true;
        (_side, _process) = (side, Process.Start(start)!);
    }

    public SideResult Result
    {
        get
        {
            _process.Refresh();
            return new(_side.Name, _side.Settings, _start!, _rounds, _process.PeakWorkingSet64);
        }
    }

    /// <summary>Waits until it is warm.</summary>
    /// <exception cref="InvalidOperationException">It ended instead.</exception>
    public void WarmUp() => _start = Read<SideStart>();

    /// <summary>Does a round, which counts or does not.</summary>
    public void Round(bool counts = true)
    {
        _process.StandardInput.WriteLine();
        _process.StandardInput.Flush();
        var round = Read<SideRound>();
        if (counts) _rounds.Add(round);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.StandardInput.Close();   // a side ends where its input ends
            if (!_process.WaitForExit(TimeSpan.FromSeconds(10))) _process.Kill();
        }
        _process.Dispose();
    }

    private T Read<T>()
    {
        string? line = _process.StandardOutput.ReadLine();
        if (line is not null) return JsonSerializer.Deserialize<T>(line, SideSettings.Json)!;
        _process.WaitForExit();
        throw new InvalidOperationException($"'{_side.Name}' ended with code {_process.ExitCode}.");
    }
}
