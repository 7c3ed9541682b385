using Spectre.Console;

namespace Smae.Benchmarks;

/// <summary>
/// A step of training (forward, backward, optimiser) against plain TorchSharp and PyTorch, with MAE's loss and with SMAE's critic; how near it comes to
/// the rate of the machine's matrix products; and what of it C# and the binding take.
/// </summary>
/// <param name="job">train for MAE, smae for SMAE with its critic.</param>
internal sealed class TrainBenchmark(string job) : IBenchmark
{
    private const string Plain = "TorchSharp as it is, ", PlainTuned = "TorchSharp tuned, ", Products = "products ", Sampled = "sampled ";
    private static readonly (string Figure, string Own, string Format)[] s_formats = [("Bf16", "Smae bf16", "bf16"), ("Fp32", "Smae fp32", "fp32")];

    public string Name => job == "smae" ? "train-smae" : "train-mae";

    public string Description => job == "smae"
        ? "A step of pretraining by SMAE, with its critic."
        : "A step of pretraining by MAE against plain TorchSharp; share of the machine's matrix-product rate; overhead of C#.";

    public void Run(BenchmarkContext context)
    {
        SideSettings settings = context.Settings(job, steps: 2);
        bool mae = job == "train";   // the peer is an MAE, and what concerns the machine is measured once
        List<Side> sides = [];
        (string Figure, string Own, string Format)[] formats = context.HasBFloat16 ? s_formats : s_formats[1..];
        if (settings.Model.IsLarge) formats = formats[..1];   // it takes its time: in the faster format only, against the better peer
        foreach ((_, string own, string format) in formats)
        {
            SideSettings inFormat = settings with { Bf16 = format == "bf16" };
            sides.Add(new Side(own, inFormat));
            if (!mae) continue;
            sides.Add(new Side(PlainTuned + format, inFormat with { Job = "plain" }));
            if (!settings.Model.IsLarge) sides.Add(new Side(Plain + format, inFormat with { Job = "plain", Tuned = false }));
            sides.Add(new Side(Products + own, inFormat with { Job = "matmul", Steps = 10 }));
        }
        if (context.PyTorch is { } peer) sides.AddRange(peer.Sides(settings, context.HasBFloat16));
        IReadOnlyDictionary<string, SideResult> results = context.Compare(
            Name, $"Train step, {(mae ? "MAE" : "SMAE (with critic)")}, {settings.Model.Image}x{settings.Model.Image}, {settings.Ratio:P0} hidden",
            sides, formats[0].Own);
        Ratios(context.Report, mae ? "train" : "smaeTrain", formats, results);
        if (mae) Machine(context.Report, settings, formats, results, Overhead(context, settings, formats, results[formats[0].Own]));
    }

    private static void Ratios(
        BenchmarkReport report, string prefix, IReadOnlyList<(string Figure, string Own, string Format)> formats, IReadOnlyDictionary<string, SideResult> results)
    {
        foreach ((string figure, string own, string format) in formats)
        {
            SideResult ours = results[own];
            report.Add($"{prefix}{figure}ImagesPerSecond", ours.ImagesPerSecond);
            foreach ((string against, string name) in (ReadOnlySpan<(string, string)>)
                     [
                         ("TorchSharp", Plain + format), ("TorchSharpTuned", PlainTuned + format), ("PyTorchDefault", PyTorchPeer.Installed),
                         ("PyTorchTunedBf16", PyTorchPeer.Tuned),
                     ])
                if (results.TryGetValue(name, out SideResult? other)) report.Add($"{prefix}{figure}Vs{against}", ours.SpeedOver(other));
            if (results.TryGetValue(PlainTuned + format, out SideResult? plain))
                report.Add($"{prefix}{figure}PeakMemoryOfTorchSharpTuned", (double)ours.PeakResidentBytes / plain.PeakResidentBytes);
        }
    }

    /// <summary>
    /// The step without its arithmetic, in as many parts on as many threads as the real one, with one image in each (no C# runs for single images); and the
    /// same with .NET's sampler on, which tells how much of it is managed code. In the real step the sampler would count kernels too, which are arithmetic.
    /// </summary>
    private static Dictionary<string, SideResult> Overhead(
        BenchmarkContext context, SideSettings settings, IReadOnlyList<(string Figure, string Own, string Format)> formats, SideResult real)
    {
        double parts = real.Rounds[0].Losses / (double)settings.Steps;
        int threads = parts > 1 ? real.Start.Threads : 1, after = (int)Math.Ceiling(parts / threads);
        SideSettings hollow = settings with
        {
            Model = settings.Model.Hollow(), Accumulation = after, Batch = after * threads, Steps = context.Quick ? 2 : 30,
        };
        List<Side> sides = [];
        foreach ((_, string own, string format) in formats)
        {
            SideSettings inFormat = hollow with { Bf16 = format == "bf16" };
            sides.Add(new Side(own, inFormat));
            sides.Add(new Side(Sampled + own, inFormat with { Sampled = true, Steps = context.Quick ? 20 : 100 }));   // a look takes place about once in a millisecond
        }
        return Side.Measure(sides, context.RoundsOr(3), context.Say).ToDictionary(side => side.Name);
    }

    private static void Machine(
        BenchmarkReport report, SideSettings settings, IReadOnlyList<(string Figure, string Own, string Format)> formats,
        IReadOnlyDictionary<string, SideResult> results, IReadOnlyDictionary<string, SideResult> overhead)
    {
        double operations = OperationCount.TrainStep(settings.Model, settings.Batch, settings.Ratio);
        Table table = Text.Table(
            $"Of a step with {Text.Number(operations / 1e9)} GFLOP of matrix products", "", "GFLOP/s of the step", "GFLOP/s of products", "share",
            "managed code", "hollow step", "share");
        foreach ((string figure, string own, _) in formats)
        {
            SideResult step = results[own];
            double rate = operations / step.StepSeconds.Median, peak = 2 * Math.Pow(settings.MatrixSide, 3) / results[Products + own].StepSeconds.Median;
            double hollow = overhead[own].StepSeconds.Median, share = hollow / step.StepSeconds.Median;
            int threads = step.Rounds[0].Losses > settings.Steps ? step.Start.Threads : 1;
            double managed = share * Spread.Of(overhead[Sampled + own].Rounds.Select(round => round.ManagedThreads / threads)).Median;
            report.Add($"train{figure}OfMatmulRate", rate / peak);
            report.Add($"matmul{figure}GigaflopsPerSecond", peak / 1e9);
            report.Add($"hollowStep{figure}Seconds", hollow);
            report.Add($"hollowStep{figure}Fraction", share);
            report.Add($"managedOverheadFraction{(figure == "Bf16" ? "" : figure)}", managed);
            table.AddRow(
                own, Text.Number(rate / 1e9), Text.Number(peak / 1e9), Text.Number(rate / peak, "0.0%"),
                Text.Number(managed, "0.00%"), Text.Seconds(hollow), Text.Number(share, "0.00%"));
        }
        report.Add("trainStepGigaflop", operations / 1e9);
        AnsiConsole.Write(table);
    }
}
