using System.Diagnostics;

namespace Smae.Benchmarks;

/// <summary>What the options say, for every benchmark.</summary>
internal sealed class BenchmarkContext
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Lazy<PyTorchPeer?> _peer;

    public BenchmarkContext(bool pyTorch) => _peer = new Lazy<PyTorchPeer?>(() =>
    {
        if (!pyTorch) return null;
        PyTorchPeer? peer = PyTorchPeer.Find(out string reason);
        if (peer is null) Say($"no comparison with PyTorch: {reason}. Set SMAE_PYTHON to a Python that has it.");
        return peer;
    });

    /// <summary>Rounds that count; null leaves it to the benchmark.</summary>
    public int? Rounds { get; init; }

    /// <summary>Whether all is as small as can be: to try whether it runs, not to measure.</summary>
    public bool Quick { get; init; }

    /// <summary>Images in a step; null leaves it to the benchmark.</summary>
    public int? Batch { get; init; }

    /// <summary>cpu or cuda.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>A folder of images to decode; null draws some.</summary>
    public DirectoryInfo? Images { get; init; }

    /// <summary>Where a plot is written.</summary>
    public FileInfo? Plot { get; init; }

    public BenchmarkReport Report { get; } = new();

    /// <summary>PyTorch, if it is wanted and there.</summary>
    public PyTorchPeer? Peer => _peer.Value;

    public int RoundsOr(int usual) => Rounds ?? (Quick ? 1 : usual);

    /// <summary>What a side of a comparison does, before its own settings.</summary>
    public SideSettings Settings(string job, int steps, int batch = 128) => new()
    {
        Job = job, Device = Device, Model = Quick ? ModelShape.Smallest : ModelShape.VitLite,
        Steps = Quick ? 1 : steps, Batch = Batch ?? (Quick ? 4 : batch), Side = Quick ? 64 : 2048,
    };

    /// <summary>A line about what is going on; results go elsewhere.</summary>
    public void Say(string line) => Console.Error.WriteLine($"bench: {_clock.Elapsed:mm\\:ss} {line}");

    /// <summary>Measures sides, prints them against one of ours, and keeps the measurements.</summary>
    /// <param name="name">What the measurements are kept under.</param>
    /// <param name="title">What stands above the table.</param>
    /// <param name="sides">The sides.</param>
    /// <param name="own">Name of the side that the others are compared with.</param>
    /// <param name="rounds">Rounds that count.</param>
    /// <param name="shown">Which sides the table shows; null shows all.</param>
    public IReadOnlyDictionary<string, SideResult> Compare(
        string name, string title, IReadOnlyList<Side> sides, string own, int rounds, Func<SideResult, bool>? shown = null)
    {
        IReadOnlyList<SideResult> results = Duel.Run(sides, rounds, Say);
        Text.Print(
            $"{title}; batch {results[0].Settings.Batch}, {rounds} rounds, medians", [.. results.Where(shown ?? (_ => true))],
            results.Single(side => side.Name == own));
        Report.AddMeasurements(name, results.Select(side => new
        {
            side.Name, side.Settings.Job, side.Settings.Bf16, side.Settings.Batch, side.Settings.Steps, side.ImagesPerSecond, side.StepSeconds,
            Seconds = side.Rounds.Select(round => round.Seconds), side.PeakResidentBytes, side.Start.Version, side.Start.Threads, side.Start.Blas,
        }));
        return results.ToDictionary(side => side.Name);
    }
}
