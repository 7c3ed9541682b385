using System.Diagnostics;
using System.Globalization;
using Smae.Training;
using Spectre.Console;
using static TorchSharp.torch;

namespace Smae.Benchmarks;

/// <summary>Ranks of one thread beside one process of as many threads, what adding up gradients takes here, and what follows for many machines by arithmetic.</summary>
internal sealed class DistributedBenchmark : IBenchmark
{
    private const int Ranks = 2, ImagesPerRank = 64;
    private const double Latency10 = 30e-6, Latency100 = 5e-6;   // seconds of a small message: common figures of Ethernet and of InfiniBand, not measured here

    public string Name => "distributed";

    public string Description => "Two ranks under MPI beside one process, the time of an all-reduce, and a computed table for many machines.";

    public void Run(BenchmarkContext context)
    {
        bool bf16 = Hardware.FastestPrecision() == Precision.BFloat16;
        SideSettings usual = context.Settings("train", steps: 2) with { Bf16 = bf16 };
        IReadOnlyList<SideResult> trained = OneByOne(context, 5, new Side("one process", usual), Under("two ranks", usual with { Ranks = Ranks }));
        context.Show(Name, $"Train step in {(bf16 ? "bf16" : "fp32")}", trained, "two ranks");
        context.Report.Add("ranksVsOneProcess", trained[1].SpeedOver(trained[0]));

        SideSettings sum = context.Settings("allreduce", steps: 10) with
        {
            Model = ModelShape.Smallest, Batch = 2 * Ranks, Ranks = Ranks, Numbers = context.Quick ? 1000 : 25_000_000,
        };
        IReadOnlyList<SideResult> sums = OneByOne(context, 3, Under("nothing added up", sum with { Numbers = 1 }), Under("all-reduce", sum));
        double seconds = Math.Max(1e-9, sums[1].StepSeconds.Median - sums[0].StepSeconds.Median), rate = sum.Numbers * 4.0 / seconds;
        context.Report.Add("allReduceBytesPerSecond", rate);
        AnsiConsole.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"All-reduce of {sum.Numbers * 4 / 1e6:0.##} MB between two ranks of this machine: {seconds * 1000:0.0} ms, {rate / 1e9:0.0} GB/s."));
        Compute(context, bf16);
    }

    /// <summary>
    /// Each side is started for its turn and ended after it, forwards and backwards (A, B, B, A): ranks that wait poll, and would take processors from the
    /// side that computes.
    /// </summary>
    private static IReadOnlyList<SideResult> OneByOne(BenchmarkContext context, int rounds, params IReadOnlyList<Side> sides) =>
    [
        .. sides.Concat(context.Quick ? [] : sides.Reverse()).Select(side => Side.Measure([side], context.RoundsOr(rounds), context.Say)[0])
            .GroupBy(turn => turn.Name).Select(turns => turns.First() with { Rounds = [.. turns.SelectMany(turn => turn.Rounds)] }),
    ];

    /// <summary>
    /// Share of its time that a rank trains, gradients in float32 sent after the backward pass: 2 (N - 1) / N times their bytes through each rank's link and
    /// 2 log2 N small messages, as a ring or a recursive halving takes.
    /// </summary>
    private static void Compute(BenchmarkContext context, bool bf16)
    {
        (string Name, ModelShape Shape, int Batch)[] models = context.Quick
            ? [("smallest", ModelShape.Smallest, 4)]
            : [("ViT-Lite-7/4, 64x64", ModelShape.VitLite, ImagesPerRank),
               ("ViT-S/16, 224x224", ModelShape.VitSmall224, 16), ("ViT-B/16, 224x224", ModelShape.VitB16, 8)];
        Table table = Text.Table(
            $"Computed: share of its time that a rank trains, {ImagesPerRank} images a rank and step; a rank is this machine, or 50 times as fast",
            "", "parameters", "step here", "link", "8", "64", "512", "8, 50x", "64, 50x", "512, 50x");
        foreach ((string name, ModelShape shape, int batch) in models)
        {
            SideSettings settings = context.Settings("train", steps: 1) with { Bf16 = bf16, Model = shape, Batch = batch };
            double step = Side.Measure([new Side(name, settings)], 1, context.Say)[0].StepSeconds.Median / batch * ImagesPerRank;
            using var model = new MaskedAutoencoder(shape.ToEncoder(), shape.ToDecoder());
            long parameters = model.parameters().Sum(p => p.numel());
            foreach ((string link, double bytesPerSecond, double latency) in ((string, double, double)[])
                [("10 Gbit/s", 1.25e9, Latency10), ("100 Gbit/s", 12.5e9, Latency100)])
            {
                string Share(int ranks, double faster)
                {
                    double sent = 2.0 * (ranks - 1) / ranks * parameters * 4 / bytesPerSecond + 2 * Math.Log2(ranks) * latency, trained = step / faster;
                    return Text.Number(trained / (trained + sent), "0.000");
                }
                table.AddRow(name, Text.Number(parameters / 1e6), Text.Seconds(step), link,
                    Share(8, 1), Share(64, 1), Share(512, 1), Share(8, 50), Share(64, 50), Share(512, 50));
            }
        }
        AnsiConsole.Write(table);
    }

    /// <summary>A side whose process is the first rank of several, each with its share of the threads.</summary>
    private static Side Under(string name, SideSettings settings) => new(name, settings, () =>
        new ProcessStartInfo(OperatingSystem.IsWindows() ? "mpiexec" : "mpirun.mpich", ["-n", $"{settings.Ranks}", "dotnet", typeof(Side).Assembly.Location, "side"]));
}

/// <summary>MAE's objective, which also adds up so many numbers over all ranks at the end of each step.</summary>
internal sealed record SummedPixels(int Numbers) : Objective
{
    public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) => new Run(Pixel().Begin(model, options, device), Numbers);

    private sealed class Run : ObjectiveRun
    {
        private readonly ObjectiveRun _pixel;
        private readonly Tensor _numbers;

        public Run(ObjectiveRun pixel, int numbers) => (_pixel, _numbers) = (Own(pixel), Own(zeros(numbers).DetachFromDisposeScope()));

        public override bool IsMeanOverImages => true;

        public override Tensor Loss(PretrainBatch batch) => _pixel.Loss(batch);

        public override void StepEnded(TrainingPosition position) => SumOverRanks(_numbers);
    }
}
