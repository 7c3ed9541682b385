using System.Diagnostics;
using Smae.Training;
using Spectre.Console;

namespace Smae.Benchmarks;

/// <summary>A command that measures something.</summary>
internal interface IBenchmark
{
    string Name { get; }

    /// <summary>What it measures, in a line.</summary>
    string Description { get; }

    /// <summary>Measures, prints and reports.</summary>
    void Run(BenchmarkContext context);
}

/// <summary>What the options say, for every benchmark, and where the results go.</summary>
internal sealed class BenchmarkContext
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    /// <summary>Rounds that count; null leaves it to the benchmark.</summary>
    public int? Rounds { get; init; }

    /// <summary>Whether all is as small as can be: to try whether it runs, not to measure.</summary>
    public bool Quick { get; init; }

    /// <summary>Images in a step; null leaves it to the benchmark.</summary>
    public int? Batch { get; init; }

    /// <summary>What is trained and run.</summary>
    public ModelShape Model { get => Quick ? ModelShape.Smallest : field; init; } = ModelShape.VitLite;

    /// <summary>cpu or cuda.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>A folder of images to decode; null draws some.</summary>
    public DirectoryInfo? Images { get; init; }

    /// <summary>PyTorch, if it is wanted and there.</summary>
    public PyTorchPeer? PyTorch { get; init; }

    /// <summary>Whether bfloat16 is measured: not where it is emulated, which takes some thirty times as long as float32.</summary>
    public bool HasBFloat16 => Quick || Hardware.FastestPrecision(gpu: Device != "cpu") == Precision.BFloat16;

    public BenchmarkReport Report { get; } = new();

    public int RoundsOr(int usual) => Rounds ?? (Quick ? 1 : usual);

    /// <summary>What a side of a comparison does, before its own settings.</summary>
    public SideSettings Settings(string job, int steps, int batch = 128) => new()
    {
        Job = job, Device = Device, Model = Model,
        Steps = Quick || Model.IsLarge ? 1 : steps, Batch = Batch ?? (Quick ? 4 : Model.IsLarge ? batch / 4 : batch), MatrixSide = Quick ? 64 : 2048,
    };

    /// <summary>A line about what is going on; results go elsewhere.</summary>
    public void Say(string line) => Console.Error.WriteLine($"bench: {_clock.Elapsed:mm\\:ss} {line}");

    /// <summary>Measures sides, prints those that do the same work beside one of ours, and keeps the measurements.</summary>
    /// <param name="name">What the measurements are kept under.</param>
    /// <param name="title">What stands above the table.</param>
    /// <param name="sides">The sides; products of matrices are not printed.</param>
    /// <param name="own">Name of the side that the others are compared with.</param>
    public IReadOnlyDictionary<string, SideResult> Compare(string name, string title, IReadOnlyList<Side> sides, string own)
    {
        IReadOnlyList<SideResult> results = Side.Measure(sides, RoundsOr(5), Say);
        Show(name, title, results, own);
        return results.ToDictionary(side => side.Name);
    }

    /// <summary>Prints and keeps what was measured, as <see cref="Compare"/> does.</summary>
    public void Show(string name, string title, IReadOnlyList<SideResult> results, string own)
    {
        SideResult ours = results.Single(side => side.Name == own);
        Table table = Text.Table(
            $"{title}; batch {ours.Settings.Batch}, {ours.Rounds.Count} rounds, medians",
            "", "images/s", "step", "range", $"{own} is faster by", "peak memory", "threads");
        foreach (SideResult side in results.Where(side => side.Settings.Job != "matmul"))
            table.AddRow(
                Markup.Escape(side.Name), Text.Number(side.ImagesPerSecond), Text.Seconds(side.StepSeconds.Median), Text.Range(side.StepSeconds),
                side == ours ? "" : Text.Number(ours.SpeedOver(side), "0.00"), Text.Megabytes(side.PeakResidentBytes), $"{side.Start.Threads}");
        AnsiConsole.Write(table);
        Report.AddMeasurements(name, results.Select(side => new
        {
            side.Name, side.Settings.Job, side.Settings.Bf16, side.Settings.Batch, side.Settings.Steps, side.ImagesPerSecond, side.StepSeconds,
            Seconds = side.Rounds.Select(round => round.Seconds), side.PeakResidentBytes, side.Start.Version, side.Start.Threads,
        }));
    }
}
