using Smae.Training;
using Spectre.Console;

namespace Smae.Benchmarks;

/// <summary>How the time of a train step grows with image size, mask ratio, depth and batch, beside how its matrix products grow.</summary>
internal sealed class ScalingBenchmark : IBenchmark
{
    public string Name => "scaling";

    public string Description => "Time of a train step over image size, mask ratio, depth and batch: a table, and a plot with --plot FILE.";

    public void Run(BenchmarkContext context)
    {
        SideSettings usual = context.Settings("train", steps: 2, batch: 32) with { Bf16 = Hardware.FastestPrecision() == Precision.BFloat16 };
        ScalingFamily[] families = Families(usual, context.Quick);
        Table table = Text.Table(
            $"Train step in {(usual.Bf16 ? "bf16" : "fp32")}; where nothing else is said {usual.Model.Image}x{usual.Model.Image}, {usual.Ratio:P0} hidden, depth {usual.Model.Depth}, batch {usual.Batch}",
            "", "tokens seen", "GFLOP", "step", "range", "images/s", "GFLOP/s");
        var measured = new List<(ScalingFamily Family, IReadOnlyList<ScalingPoint> Points)>();
        foreach (ScalingFamily family in families)
        {
            ScalingPoint[] points = [.. family.Members.Select(member => Measure(context, family, member))];
            foreach (ScalingPoint p in points)
                table.AddRow(
                    Markup.Escape($"{family.Name} {p.Label}"), $"{p.TokensSeen}", Text.Number(p.Gigaflop), Text.Seconds(p.Step.Median),
                    $"{Text.Seconds(p.Step.Least)} - {Text.Seconds(p.Step.Most)}", Text.Number(p.Batch / p.Step.Median),
                    Text.Number(p.Gigaflop / p.Step.Median));
            measured.Add((family, points));
            double fit = points.Length > 2 ? Linearity([.. points.Select(p => p.X)], [.. points.Select(p => p.Step.Median)]) : double.NaN;
            context.Report.Add($"scaling{family.Figure}LinearFit", fit);
        }
        AnsiConsole.Write(table);
        foreach ((ScalingFamily family, _) in measured)
            AnsiConsole.WriteLine($"Share of the variance over {family.Axis} that a straight line explains: {Text.Number(context.Report.Figures[$"scaling{family.Figure}LinearFit"], "0.0000")}");
        context.Report.AddMeasurements("scaling", measured.Select(m => new { m.Family.Name, m.Points }));
        if (context.Plot is null) return;
        File.WriteAllText(context.Plot.FullName, ScalingPlot.Draw(measured));
        AnsiConsole.WriteLine($"Plot: {context.Plot.FullName}");
    }

    private static ScalingFamily[] Families(SideSettings usual, bool quick)
    {
        int Seen(SideSettings s) => 1 + (int)(s.Model.PatchCount * (1 - s.Ratio));
        int[] sizes = quick ? [16, 32] : [32, 64, 96, 128], depths = quick ? [1, 2] : [2, 4, 7, 12], batches = quick ? [2, 4] : [16, 32, 64, 128];
        double[] ratios = [1.0 / usual.Model.PatchCount, 0.5, 0.75, 0.9];   // at least one patch must be hidden
        return
        [
            new("image", "ImageSize", "tokens seen of an image (32 to 128 pixels a side)",
                [.. sizes.Select(size => usual with { Model = usual.Model with { Image = size } })], s => $"{s.Model.Image}x{s.Model.Image}", s => Seen(s)),
            new("hidden", "VisibleTokens", "tokens seen of an image (0 to 90% hidden)",
                [.. ratios.Select(ratio => usual with { Ratio = ratio })], s => s.Ratio < 0.1 ? "one patch" : $"{s.Ratio:P0}", s => Seen(s)),
            new("depth", "Depth", "blocks of the encoder", [.. depths.Select(depth => usual with { Model = usual.Model with { Depth = depth } })],
                s => $"{s.Model.Depth}", s => s.Model.Depth),
            new("batch", "Batch", "images in a step", [.. batches.Select(batch => usual with { Batch = batch })], s => $"{s.Batch}", s => s.Batch),
        ];
    }

    private static ScalingPoint Measure(BenchmarkContext context, ScalingFamily family, SideSettings settings)
    {
        string label = family.Label(settings);
        SideResult side = Duel.Run([Side.Smae($"{family.Name} {label}", settings)], context.RoundsOr(3), context.Say)[0];
        return new ScalingPoint(
            label, family.X(settings), 1 + (int)(settings.Model.PatchCount * (1 - settings.Ratio)), settings.Batch,
            OperationCount.TrainStep(settings.Model, settings.Batch, settings.Ratio) / 1e9, side.StepSeconds);
    }

    /// <summary>The share of the variance that the best straight line explains.</summary>
    private static double Linearity(double[] x, double[] y)
    {
        double meanX = x.Average(), meanY = y.Average();
        double xy = x.Zip(y, (a, b) => (a - meanX) * (b - meanY)).Sum(), xx = x.Sum(a => (a - meanX) * (a - meanX)), yy = y.Sum(b => (b - meanY) * (b - meanY));
        return xy * xy / (xx * yy);
    }
}
