using Spectre.Console;

namespace Smae.Benchmarks;

/// <summary>
/// A step of training (forward, backward, optimiser), Smae against PyTorch, with MAE's loss and with SMAE's critic; how near it comes to the rate of the
/// machine's matrix products; and what of it C# and the binding take.
/// </summary>
/// <param name="job">train for MAE, smae for SMAE with its critic.</param>
internal sealed class TrainBenchmark(string job) : IBenchmark
{
    private const string Bf16 = "Smae bf16", Fp32 = "Smae fp32", TunedBf16 = "PyTorch, tuned, bf16", TunedFp32 = "PyTorch, tuned, fp32";
    private const string Products = "products ", Sampled = "sampled ";

    public string Name => job == "smae" ? "train-smae" : "train-mae";

    public string Description => job == "smae"
        ? "A step of pretraining by SMAE, with its critic, against PyTorch."
        : "A step of pretraining by MAE against PyTorch; share of the machine's matrix-product rate; overhead of C#.";

    public void Run(BenchmarkContext context)
    {
        (string figure, string title) = job == "smae" ? ("smaeTrain", "SMAE (with critic)") : ("train", "MAE");
        SideSettings settings = context.Settings(job, steps: 2);
        bool machine = job == "train";   // what concerns the machine is measured once
        List<Side> sides = [Side.Smae(Bf16, settings with { Bf16 = true }), Side.Smae(Fp32, settings)];
        if (context.Peer is { } peer)
        {
            sides.AddRange([peer.AsInstalled(settings), peer.Tuned(TunedFp32, settings), peer.Tuned(TunedBf16, settings with { Bf16 = true })]);
            // So slow that a smaller batch must do; images a second depend little on it.
            if (machine && PyTorchPeer.HasReferenceBlas) sides.Add(peer.WithReferenceBlas(settings with { Steps = 1, Batch = Math.Max(1, settings.Batch / 8) }));
        }
        if (machine)
        {
            SideSettings products = settings with { Job = "matmul", Steps = 10 };
            sides.AddRange([Side.Smae(Products + Bf16, products with { Bf16 = true }), Side.Smae(Products + Fp32, products)]);
        }
        IReadOnlyDictionary<string, SideResult> results = context.Compare(
            Name, $"Train step, {title}, {settings.Model.Image}x{settings.Model.Image}, {settings.Ratio:P0} hidden", sides, Bf16, context.RoundsOr(5),
            side => side.Settings.Job == job);
        Ratios(context.Report, figure, results);
        if (machine) Machine(context.Report, settings, results, Overhead(context, settings, results[Bf16]));
    }

    private static void Ratios(BenchmarkReport report, string figure, IReadOnlyDictionary<string, SideResult> results)
    {
        foreach ((string name, string own) in (ReadOnlySpan<(string, string)>)[("Bf16", Bf16), ("Fp32", Fp32)])
        {
            report.Add($"{figure}{name}ImagesPerSecond", results[own].ImagesPerSecond);
            foreach (SideResult other in results.Values)
            {
                string? against = other.Name switch
                {
                    TunedFp32 => "PyTorchTuned", TunedBf16 => "PyTorchTunedBf16", PyTorchPeer.Installed => "PyTorchDefault",
                    PyTorchPeer.OnReferenceBlas => "PyTorchReferenceBlas", _ => null,
                };
                if (against is not null) report.Add($"{figure}{name}Vs{against}", results[own].SpeedOver(other));
            }
        }
    }

    /// <summary>
    /// The step without its arithmetic, in as many parts on as many threads as the real one, with one image in each (no C# runs for single images); and the
    /// same with .NET's sampler on, which tells how much of it is managed code. In the real step the sampler would count kernels too, which are arithmetic.
    /// </summary>
    private static IReadOnlyDictionary<string, SideResult> Overhead(BenchmarkContext context, SideSettings settings, SideResult real)
    {
        double parts = real.Rounds[0].Losses / (double)settings.Steps;
        int threads = parts > 1 ? real.Start.Threads : 1, after = (int)Math.Ceiling(parts / threads);
        SideSettings hollow = settings with
        {
            Model = settings.Model.Hollow(), Accumulation = after, Batch = after * threads, Steps = context.Quick ? 2 : 30,
        };
        SideSettings sampled = hollow with { Sampled = true, Steps = context.Quick ? 20 : 100 };   // a look takes place about once in a millisecond
        List<Side> sides =
        [
            Side.Smae(Sampled + Bf16, sampled with { Bf16 = true }), Side.Smae(Sampled + Fp32, sampled),
            Side.Smae(Bf16, hollow with { Bf16 = true }), Side.Smae(Fp32, hollow),
        ];
        if (context.Peer is { } peer) sides.Add(peer.Tuned(TunedFp32, hollow with { Batch = 1 }));
        return Duel.Run(sides, context.RoundsOr(3), context.Say).ToDictionary(side => side.Name);
    }

    private static void Machine(
        BenchmarkReport report, SideSettings settings, IReadOnlyDictionary<string, SideResult> results,
        IReadOnlyDictionary<string, SideResult> overhead)
    {
        double operations = OperationCount.TrainStep(settings.Model, settings.Batch, settings.Ratio);
        Table table = Text.Table(
            $"Of a step with {Text.Number(operations / 1e9)} GFLOP of matrix products", "", "GFLOP/s of the step", "GFLOP/s of products", "share",
            "managed code", "hollow step", "share");
        foreach ((string name, string own) in (ReadOnlySpan<(string, string)>)[("Bf16", Bf16), ("Fp32", Fp32)])
        {
            double rate = operations / results[own].StepSeconds.Median;
            double peak = 2 * Math.Pow(settings.Side, 3) / results[Products + own].StepSeconds.Median;
            double hollow = overhead[own].StepSeconds.Median, share = hollow / results[own].StepSeconds.Median;
            int threads = results[own].Rounds[0].Losses > settings.Steps ? results[own].Start.Threads : 1;
            double managed = share * Spread.Of(overhead[Sampled + own].Rounds.Select(round => round.ManagedThreads / threads)).Median;
            report.Add($"train{name}OfMatmulRate", rate / peak);
            report.Add($"matmul{name}GigaflopsPerSecond", peak / 1e9);
            report.Add($"hollowStep{name}Seconds", hollow);
            report.Add($"hollowStep{name}Fraction", share);
            report.Add($"managedOverheadFraction{(name == "Bf16" ? "" : name)}", managed);
            table.AddRow(
                own, Text.Number(rate / 1e9), Text.Number(peak / 1e9), Text.Number(rate / peak, "0.0%"),
                Text.Number(managed, "0.00%"), Text.Seconds(hollow), Text.Number(share, "0.00%"));
        }
        if (overhead.TryGetValue(TunedFp32, out SideResult? other))
        {
            double hollow = report.Add("hollowStepPyTorchSeconds", other.StepSeconds.Median);
            table.AddRow(TunedFp32, "", "", "", "", Text.Seconds(hollow), Text.Number(hollow / results[TunedFp32].StepSeconds.Median, "0.00%"));
        }
        report.Add("trainStepGigaflop", operations / 1e9);
        AnsiConsole.Write(table);
    }
}
