using Smae.Training;
using Spectre.Console;

namespace Smae.Benchmarks;

/// <summary>How the time of a train step grows with image size, mask ratio, depth and batch, beside how its matrix products grow.</summary>
internal sealed class ScalingBenchmark : IBenchmark
{
    public string Name => "scaling";

    public string Description => "Time of a train step over image size, mask ratio, depth and batch, and how near to a straight line it grows.";

    public void Run(BenchmarkContext context)
    {
        SideSettings usual = context.Settings("train", steps: 2, batch: 32) with { Bf16 = Hardware.FastestPrecision() == Precision.BFloat16 };
        Table table = Text.Table(
            $"Train step in {(usual.Bf16 ? "bf16" : "fp32")}; where nothing else is said {usual.Model.Image}x{usual.Model.Image}, {usual.Ratio:P0} hidden, " +
            $"depth {usual.Model.Depth}, batch {usual.Batch}",
            "", "tokens seen", "GFLOP", "step", "range", "images/s", "GFLOP/s");
        var measured = new List<object>();
        var fits = new List<string>();
        foreach ((string name, string figure, Func<SideSettings, string> label, Func<SideSettings, double> x, SideSettings[] members) in Families(usual, context.Quick))
        {
            SideResult[] points = [.. members.Select(m => Side.Measure([new Side($"{name} {label(m)}", m)], context.RoundsOr(3), context.Say)[0])];
            foreach (SideResult p in points)
            {
                double gigaflop = OperationCount.TrainStep(p.Settings.Model, p.Settings.Batch, p.Settings.Ratio) / 1e9, seconds = p.StepSeconds.Median;
                table.AddRow(
                    Markup.Escape(p.Name), $"{TokensSeen(p.Settings)}", Text.Number(gigaflop), Text.Seconds(seconds), Text.Range(p.StepSeconds),
                    Text.Number(p.ImagesPerSecond), Text.Number(gigaflop / seconds));
            }
            measured.Add(new { name, Points = points.Select(p => new { Label = label(p.Settings), X = x(p.Settings), p.StepSeconds, p.ImagesPerSecond }) });
            double fit = points.Length > 2 ? Linearity([.. points.Select(p => x(p.Settings))], [.. points.Select(p => p.StepSeconds.Median)]) : double.NaN;
            context.Report.Add($"scaling{figure}LinearFit", fit);
            fits.Add($"{name} {Text.Number(fit, "0.0000")}");
        }
        AnsiConsole.Write(table);
        AnsiConsole.WriteLine($"Share of the variance that a straight line explains: {string.Join(", ", fits)}");
        context.Report.AddMeasurements(Name, measured);
    }

    /// <summary>Train steps that differ in one thing: its name, the same in a figure, what tells a step from the others, and where it stands on the axis.</summary>
    private static (string Name, string Figure, Func<SideSettings, string> Label, Func<SideSettings, double> X, SideSettings[] Members)[] Families(
        SideSettings usual, bool quick)
    {
        int[] sizes = quick ? [16, 32] : [32, 64, 96, 128], depths = quick ? [1, 2] : [2, 4, 7, 12], batches = quick ? [2, 4] : [16, 32, 64, 128];
        double[] ratios = [1.0 / usual.Model.PatchCount, 0.5, 0.75, 0.9];   // at least one patch must be hidden
        return
        [
            ("image", "ImageSize", s => $"{s.Model.Image}x{s.Model.Image}", s => TokensSeen(s),
                [.. sizes.Select(size => usual with { Model = usual.Model with { Image = size } })]),
            ("hidden", "VisibleTokens", s => s.Ratio < 0.1 ? "one patch" : $"{s.Ratio:P0}", s => TokensSeen(s),
                [.. ratios.Select(ratio => usual with { Ratio = ratio })]),
            ("depth", "Depth", s => $"{s.Model.Depth}", s => s.Model.Depth, [.. depths.Select(depth => usual with { Model = usual.Model with { Depth = depth } })]),
            ("batch", "Batch", s => $"{s.Batch}", s => s.Batch, [.. batches.Select(batch => usual with { Batch = batch })]),
        ];
    }

    private static int TokensSeen(SideSettings s) => 1 + (int)(s.Model.PatchCount * (1 - s.Ratio));

    /// <summary>The share of the variance that the best straight line explains.</summary>
    private static double Linearity(double[] x, double[] y)
    {
        double meanX = x.Average(), meanY = y.Average();
        double xy = x.Zip(y, (a, b) => (a - meanX) * (b - meanY)).Sum(), xx = x.Sum(a => (a - meanX) * (a - meanX)), yy = y.Sum(b => (b - meanY) * (b - meanY));
        return xy * xy / (xx * yy);
    }
}
