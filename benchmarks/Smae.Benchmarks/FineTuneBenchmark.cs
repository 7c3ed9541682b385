using Spectre.Console;

namespace Smae.Benchmarks;

/// <summary>A step of training a classifier, from a pretrained encoder and from scratch, and how near it comes to the rate of the machine's matrix products.</summary>
internal sealed class FineTuneBenchmark : IBenchmark
{
    public string Name => "fine-tune";

    public string Description => "A step of fine-tuning and of supervised training: share of the machine's matrix-product rate.";

    public void Run(BenchmarkContext context)
    {
        SideSettings settings = context.Settings("fine-tune", steps: 1, batch: 64);
        (string Figure, string Name, string Job)[] jobs = [("fineTune", "fine-tuning", "fine-tune"), ("supervised", "supervised", "supervised")];
        string[] formats = context.HasBFloat16 ? ["Bf16", "Fp32"] : ["Fp32"];
        List<Side> sides = [];
        foreach (string format in formats)
        {
            SideSettings inFormat = settings with { Bf16 = format == "Bf16" };
            sides.AddRange(jobs.Select(job => new Side($"{job.Name}, {format}", inFormat with { Job = job.Job })));
            sides.Add(new Side($"products, {format}", inFormat with { Job = "matmul", Steps = 10 }));
        }
        IReadOnlyDictionary<string, SideResult> results = context.Compare(
            Name, $"A classifier's step, {settings.Model.Image}x{settings.Model.Image}", sides, sides[0].Name);
        double operations = OperationCount.ClassifierStep(settings.Model, settings.Batch);
        Table table = Text.Table($"Of a step with {Text.Number(operations / 1e9)} GFLOP of matrix products", "", "GFLOP/s of the step", "GFLOP/s of products", "share");
        foreach (string format in formats)
        {
            double peak = 2 * Math.Pow(settings.MatrixSide, 3) / results[$"products, {format}"].StepSeconds.Median;
            foreach ((string figure, string name, _) in jobs)
            {
                SideResult step = results[$"{name}, {format}"];
                double rate = operations / step.StepSeconds.Median;
                context.Report.Add($"{figure}{format}ImagesPerSecond", step.ImagesPerSecond);
                context.Report.Add($"{figure}{format}OfMatmulRate", rate / peak);
                table.AddRow(step.Name, Text.Number(rate / 1e9), Text.Number(peak / 1e9), Text.Number(rate / peak, "0.0%"));
            }
        }
        AnsiConsole.Write(table);
    }
}
