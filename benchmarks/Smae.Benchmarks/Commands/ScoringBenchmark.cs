using System.Diagnostics;
using Spectre.Console;

namespace Smae.Benchmarks;

/// <summary>
/// The command <c>scoring</c>: images a second of an encoder (ViT-Lite-7/4, 64x64 pixels) through TorchSharp, ONNX Runtime, ML.NET's ApplyOnnxModel and
/// OnnxEmbedding. The ways take turns, forwards and backwards, so that what else the machine does falls on all; medians are compared.
/// </summary>
internal sealed class ScoringBenchmark : IBenchmark
{
    public string Name => "scoring";

    public string Description => "Embeddings from memory and from files, through TorchSharp, ONNX Runtime and ML.NET.";

    public void Run(BenchmarkContext context)
    {
        int rounds = context.RoundsOr(5), batch = context.Batch ?? (context.Quick ? 4 : 64);
        using var contestants = new ScoringContestants(context.Quick ? 4 : 256, batch);
        ScoringSpeed[] speeds = Measure(contestants, rounds);
        Print(speeds, $"ViT-Lite-7/4, 64x64, {contestants.Count} images a round, median of {rounds} rounds");
        context.Report.AddMeasurements(Name, speeds);
        foreach ((string from, string name) in (ReadOnlySpan<(string, string)>)[("memory", "Memory"), ("files", "Files")])
        {
            ScoringSpeed own = speeds.Single(s => s.From == from && s.Name == ScoringContestants.Batched);
            context.Report.Add($"onnxEmbeddingFrom{name}ImagesPerSecond", own.ImagesPerSecond);
            context.Report.Add($"onnxEmbeddingFrom{name}VsApplyOnnxModel", own.OfApplyOnnxModel);
        }
    }

    private static ScoringSpeed[] Measure(ScoringContestants contestants, int rounds)
    {
        IReadOnlyList<ScoringContestant> all = contestants.All;
        float[][] embeddings = [.. all.Select(_ => new float[contestants.Count * contestants.Dim])];
        var speeds = new double[all.Count][];
        for (int c = 0; c < all.Count; c++)
        {
            all[c].Embed(embeddings[c]);   // the round that does not count
            speeds[c] = new double[rounds];
        }
        for (int round = 0; round < rounds; round++)
        for (int turn = 0; turn < all.Count; turn++)
        {
            int c = round % 2 == 0 ? turn : all.Count - 1 - turn;
            long start = Stopwatch.GetTimestamp();
            all[c].Embed(embeddings[c]);
            speeds[c][round] = contestants.Count / Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
        double[] medians = [.. speeds.Select(s => Spread.Of(s).Median)];
        double Apply(bool fromFiles) => medians[all.ToList().FindIndex(c => c.Name == ScoringContestants.Apply && c.FromFiles == fromFiles)];
        return [.. all.Select((contestant, c) => new ScoringSpeed(
            contestant.Name, contestant.FromFiles ? "files" : "memory", medians[c], speeds[c].Min(), speeds[c].Max(),
            medians[c] / Apply(contestant.FromFiles), embeddings[c].Zip(embeddings[0], (one, other) => Math.Abs((double)one - other)).Max()))];
    }

    private static void Print(ScoringSpeed[] speeds, string title)
    {
        Table table = Text.Table($"{title}; ratio: to {ScoringContestants.Apply}", "", "from", "images/s", "range", "ratio", "max diff.");
        foreach (ScoringSpeed s in speeds)
            table.AddRow(
                s.Name, s.From, Text.Number(s.ImagesPerSecond), $"{Text.Number(s.Slowest)}-{Text.Number(s.Fastest)}",
                Text.Number(s.OfApplyOnnxModel, "0.00"), Text.Number(s.MaxDifference, "0.0e0"));
        AnsiConsole.Write(table);
    }
}
