using Spectre.Console;

namespace Smae.Benchmarks;

/// <summary>Memory of training: what a step allocates on the managed heap, tensors alive, resident memory, and whether any of it grows over 2,000 steps.</summary>
internal sealed class MemoryBenchmark : IBenchmark
{
    public string Name => "memory";

    public string Description => "Managed allocation and tensors alive per step, peak memory, and growth over 2,000 steps.";

    public void Run(BenchmarkContext context)
    {
        SideSettings settings = context.Settings("train", steps: 4);
        List<Side> sides = [new Side("Fp32", settings)];
        if (context.HasBFloat16) sides.Add(new Side("Bf16", settings with { Bf16 = true }));
        IReadOnlyList<SideResult> results = Side.Measure(sides, context.RoundsOr(3), context.Say);
        Table table = Text.Table(
            $"Memory of a train step, batch {settings.Batch}", "", "managed bytes a step", "tensors alive after it", "most alive in it", "peak resident memory");
        foreach (SideResult side in results)
        {
            SideRound last = side.Rounds[^1];
            double managed = Spread.Of(side.Rounds.Select(round => (double)round.ManagedBytes / settings.Steps)).Median;
            context.Report.Add($"managedBytesPerStep{side.Name}", managed);
            context.Report.Add($"tensorsAliveAfterStep{side.Name}", last.TensorsAlive);
            context.Report.Add($"mostTensorsAlive{side.Name}", last.MostTensorsAlive);
            context.Report.Add($"peakResidentBytes{side.Name}", side.PeakResidentBytes);
            table.AddRow(side.Name, Text.Number(managed, "#,0"), $"{last.TensorsAlive}", $"{last.MostTensorsAlive}", Text.Megabytes(side.PeakResidentBytes));
        }
        AnsiConsole.Write(table);
        context.Report.AddMeasurements(Name, results);

        const int rounds = 11;   // from the end of the first to the end of the last are 2,000 steps
        SideSettings small = context.Settings("train", steps: 200, batch: 16) with { Model = new ModelShape(16, 4, 32, 2, 2, 64, 32, 1, 2, 64) };
        SideResult growth = Side.Measure([new Side("a small model", small)], rounds, context.Say, warmUp: false)[0];
        (SideRound first, SideRound middle, SideRound end) = (growth.Rounds[0], growth.Rounds[rounds / 2], growth.Rounds[^1]);
        context.Report.Add("growthSteps", small.Steps * (rounds - 1));
        context.Report.Add("residentGrowthBytes", end.ResidentBytes - first.ResidentBytes);
        context.Report.Add("residentGrowthBytesSecondHalf", end.ResidentBytes - middle.ResidentBytes);
        context.Report.Add("tensorsAliveGrowth", end.TensorsAlive - first.TensorsAlive);
        context.Report.AddMeasurements("growth", growth);
        AnsiConsole.WriteLine(
            $"Over {small.Steps * (rounds - 1)} steps of a small model resident memory grew by {Text.Megabytes(end.ResidentBytes - first.ResidentBytes)}, " +
            $"in the second half by {Text.Megabytes(end.ResidentBytes - middle.ResidentBytes)}; tensors alive by {end.TensorsAlive - first.TensorsAlive}.");
    }
}
