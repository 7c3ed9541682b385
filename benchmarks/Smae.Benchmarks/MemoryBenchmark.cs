using Spectre.Console;

namespace Smae.Benchmarks;

/// <summary>Memory of training: what a step allocates on the managed heap, tensors alive, resident memory, and whether any of it grows over 2,000 steps.</summary>
internal sealed class MemoryBenchmark : IBenchmark
{
    private static readonly ModelShape s_small = new(16, 4, 32, 2, 2, 64, 32, 1, 2, 64);

    public string Name => "memory";

    public string Description => "Managed allocation and tensors alive per step, peak memory, and growth over 2,000 steps.";

    public void Run(BenchmarkContext context)
    {
        Step(context);
        Growth(context);
    }

    private static void Step(BenchmarkContext context)
    {
        SideSettings settings = context.Settings("train", steps: 4);
        IReadOnlyList<SideResult> results = Side.Measure(
            [new Side("fp32", settings), new Side("bf16", settings with { Bf16 = true })], context.RoundsOr(3), context.Say);
        Table table = Text.Table(
            $"Memory of a train step, batch {settings.Batch}", "", "managed bytes a step", "tensors alive after it", "most alive in it", "peak resident memory");
        foreach (SideResult side in results)
        {
            SideRound last = side.Rounds[^1];
            double managed = Spread.Of(side.Rounds.Select(round => (double)round.ManagedBytes / settings.Steps)).Median;
            string name = side.Name == "bf16" ? "Bf16" : "Fp32";
            context.Report.Add($"managedBytesPerStep{name}", managed);
            context.Report.Add($"tensorsAliveAfterStep{name}", last.TensorsAlive);
            context.Report.Add($"mostTensorsAlive{name}", last.MostTensorsAlive);
            context.Report.Add($"peakResidentBytes{name}", side.PeakResidentBytes);
            table.AddRow(side.Name, Text.Number(managed, "#,0"), $"{last.TensorsAlive}", $"{last.MostTensorsAlive}", Text.Megabytes(side.PeakResidentBytes));
        }
        AnsiConsole.Write(table);
        context.Report.AddMeasurements("memory", results);
    }

    private static void Growth(BenchmarkContext context)
    {
        int rounds = 11;   // from the end of the first to the end of the last are 2,000 steps
        SideSettings settings = context.Settings("train", steps: 200, batch: 16) with { Model = s_small };
        SideResult side = Side.Measure([new Side("a small model", settings)], rounds, context.Say, warmUp: false)[0];
        SideRound first = side.Rounds[0], last = side.Rounds[^1];
        int steps = settings.Steps * (rounds - 1);
        Table table = Text.Table($"After how many steps of a small model, batch {settings.Batch}", "steps", "tensors alive", "resident memory", "managed bytes a step");
        for (int i = 0; i < rounds; i++)
            table.AddRow(
                $"{settings.Steps * (i + 2)}", $"{side.Rounds[i].TensorsAlive}", Text.Megabytes(side.Rounds[i].ResidentBytes),
                Text.Number((double)side.Rounds[i].ManagedBytes / settings.Steps, "#,0"));
        AnsiConsole.Write(table);
        context.Report.Add("growthSteps", steps);
        context.Report.Add("residentGrowthBytes", last.ResidentBytes - first.ResidentBytes);
        context.Report.Add("residentGrowthBytesSecondHalf", last.ResidentBytes - side.Rounds[rounds / 2].ResidentBytes);
        context.Report.Add("tensorsAliveGrowth", last.TensorsAlive - first.TensorsAlive);
        context.Report.AddMeasurements("growth", side);
    }
}
