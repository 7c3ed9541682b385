using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace Smae.Benchmarks;

/// <summary>
/// The command <c>scoring</c>: images a second of an encoder (ViT-Lite-7/4, 64x64 pixels) through TorchSharp, ONNX Runtime, ML.NET's ApplyOnnxModel and
/// OnnxEmbedding. The ways take turns, forwards and backwards, so that what else the machine does falls on all; medians are compared.
/// </summary>
internal static class ScoringBenchmark
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Runs the command.</summary>
    /// <param name="args">What follows its name.</param>
    /// <returns>The exit code.</returns>
    public static int Run(string[] args)
    {
        var images = new Option<int>("--images") { Description = "Images in a round.", DefaultValueFactory = _ => 256 };
        var rounds = new Option<int>("--rounds") { Description = "Rounds that count, after one that does not.", DefaultValueFactory = _ => 5 };
        var batch = new Option<int>("--batch") { Description = "Images at a time.", DefaultValueFactory = _ => 64 };
        var json = new Option<FileInfo?>("--json") { Description = "File for the results as JSON." };
        foreach (Option<int> option in (Option<int>[])[images, rounds, batch])
            option.Validators.Add(result =>
            {
                if (result.GetValueOrDefault<int>() < 1) result.AddError($"{option.Name} is {result.GetValueOrDefault<int>()}: expected at least 1.");
            });
        var command = new RootCommand("Images a second of an encoder, from memory and from files.") { images, rounds, batch, json };
        command.SetAction(parsed =>
        {
            using var contestants = new ScoringContestants(parsed.GetValue(images), parsed.GetValue(batch));
            ScoringSpeed[] speeds = Measure(contestants, parsed.GetValue(rounds));
            Print(speeds, $"ViT-Lite-7/4, 64x64, {contestants.Count} images a round, median of {parsed.GetValue(rounds)} rounds");
            if (parsed.GetValue(json) is { } file) File.WriteAllText(file.FullName, JsonSerializer.Serialize(speeds, Indented));
        });
        return command.Parse(args).Invoke();
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
        double[] medians = [.. speeds.Select(Median)];
        double Apply(bool fromFiles) => medians[all.ToList().FindIndex(c => c.Name == ScoringContestants.Apply && c.FromFiles == fromFiles)];
        return [.. all.Select((contestant, c) => new ScoringSpeed(
            contestant.Name, contestant.FromFiles ? "files" : "memory", medians[c], speeds[c].Min(), speeds[c].Max(),
            medians[c] / Apply(contestant.FromFiles), embeddings[c].Zip(embeddings[0], (one, other) => Math.Abs((double)one - other)).Max()))];
    }

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static void Print(ScoringSpeed[] speeds, string title)
    {
        static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
        var table = new Table().Title($"{title}; ratio: to {ScoringContestants.Apply}");
        table.AddColumn(new TableColumn("").NoWrap());
        table.AddColumn("from");
        foreach (string name in (string[])["images/s", "range", "ratio", "max diff."]) table.AddColumn(new TableColumn(name).RightAligned().NoWrap());
        foreach (ScoringSpeed s in speeds)
            table.AddRow(
                s.Name, s.From, Number(s.ImagesPerSecond, "0.0"), $"{Number(s.Slowest, "0.0")}-{Number(s.Fastest, "0.0")}",
                Number(s.OfApplyOnnxModel, "0.00"), Number(s.MaxDifference, "0.0e0"));
        AnsiConsole.Write(table);
    }
}
