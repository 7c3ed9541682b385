using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Smae.Training;
using static System.FormattableString;

namespace Reproduction;

/// <summary>All that was measured, kept in <c>results.json</c> after every measurement so that a killed run goes on.</summary>
/// <param name="Critics">Top-1 of the critic that was trained with a seed.</param>
/// <param name="Teachers">Loss of the teacher that was trained with a seed.</param>
internal sealed record Results(
    Scale Scale, string TinyImageNet, string Cub, Dictionary<int, double> Critics, Dictionary<int, double> Teachers, List<Figures> Rows)
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private string _path = "";

    private string Kind => $"scale {Scale}, {TinyImageNet} and {Cub}";

    /// <summary>Begins a folder's results, or goes on with them.</summary>
    /// <exception cref="InvalidOperationException">
    /// There are some already and they are not to be gone on with, or are of another experiment.
    /// </exception>
    /// <exception cref="InvalidDataException">The file does not hold results.</exception>
    public static Results Open(Settings settings)
    {
        string path = Path.Combine(settings.Output.FullName, "results.json");
        var results = new Results(settings.Scale, settings.TinyImageNet.Name, settings.Cub.Name, [], [], []);
        if (File.Exists(path))
        {
            if (!settings.Resume)
                throw new InvalidOperationException($"{path} is there already: go on with --resume, or choose another folder with --out.");
            Results found = Read(path);
            if (found.Kind != results.Kind)
                throw new InvalidOperationException($"{path} is of {found.Kind}, not of {results.Kind}: choose another folder with --out.");
            results = found;
        }
        results._path = path;
        results.Save();
        return results;
    }

    public Figures Of(Method method, int seed) =>
        Rows.FirstOrDefault(f => f.Method == method.Key && f.Seed == seed) ?? new Figures { Method = method.Key, Seed = seed };

    public void Set(Figures figures)
    {
        Rows.RemoveAll(f => (f.Method, f.Seed) == (figures.Method, figures.Seed));
        Rows.Add(figures);
        Save();
    }

    public void Save() => AtomicFile.Write(_path, stream => JsonSerializer.Serialize(stream, this, s_json));

    private static Results Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<Results>(File.ReadAllText(path), s_json) is { Teachers: not null } results
                ? results : throw new JsonException("it is empty, or of an older version of this program");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path} does not hold results: {e.Message}", e);
        }
    }
}

/// <summary>What was measured of one method with one seed; null where it has not been yet. Accuracies are top-1, 0 to 1.</summary>
internal sealed record Figures
{
    public required string Method { get; init; }
    public required int Seed { get; init; }
    public double? ImagesPerSecond { get; init; }   // in pretraining
    public double? PeakMegabytes { get; init; }   // that the process held while it pretrained, in MiB
    public double? Neighbors { get; init; }   // on Tiny ImageNet, by the vote of the 20 nearest training images
    public double? LinearProbe { get; init; }   // on Tiny ImageNet, of a linear classifier on the frozen encoder
    public double? TinyImageNet { get; init; }   // after training end to end
    public double? Cub { get; init; }
    public double Seconds { get; init; }   // spent in training steps so far: pretraining, probe and both fine-tunings
}

/// <summary>The table, in Markdown.</summary>
internal static class ResultTable
{
    private static readonly string[] s_head =
        ["method", "masking", "k-NN", "linear probe", "Tiny ImageNet", "CUB", "ms/image", "of MAE's", "MiB", "seconds"];

    /// <param name="methods">The rows, in their order.</param>
    /// <param name="results">What was measured; of several seeds the table shows mean and standard deviation.</param>
    public static string Of(IEnumerable<Method> methods, Results results)
    {
        double? cost = Cost(results.Rows.Where(f => f.Method == Method.Baseline));
        string[][] rows = [s_head, .. methods.Select(m => Row(m, [.. results.Rows.Where(f => f.Method == m.Key)], cost))];
        int[] widths = [.. s_head.Select((_, column) => rows.Max(row => row[column].Length))];
        var text = new StringBuilder();
        for (int i = 0; i < rows.Length; i++)
        {
            IEnumerable<string> cells = rows[i].Select((cell, c) => c < 2 ? cell.PadRight(widths[c]) : cell.PadLeft(widths[c]));
            text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
            if (i == 0) text.Append('|').AppendJoin('|', widths.Select((w, c) => new string('-', w + 1) + (c < 2 ? '-' : ':'))).Append("|\n");
        }
        return text.ToString();
    }

    private static string[] Row(Method method, Figures[] seeds, double? cost)
    {
        double? own = Cost(seeds);
        return
        [
            method.Name, method.Masking, Percent(seeds.Select(f => f.Neighbors)), Percent(seeds.Select(f => f.LinearProbe)),
            Percent(seeds.Select(f => f.TinyImageNet)), Percent(seeds.Select(f => f.Cub)), Invariant($"{own:F2}"), Invariant($"{own / cost:F2}"),
            Invariant($"{seeds.Average(f => f.PeakMegabytes):F0}"), seeds.Length == 0 ? "" : Invariant($"{seeds.Average(f => f.Seconds):F0}"),
        ];
    }

    /// <summary>Milliseconds of pretraining that an image costs in an epoch.</summary>
    private static double? Cost(IEnumerable<Figures> seeds) => seeds.Average(f => 1000 / f.ImagesPerSecond);

    private static string Percent(IEnumerable<double?> shares)
    {
        double[] values = [.. shares.OfType<double>().Select(s => 100 * s)];
        if (values.Length < 2) return values.Length == 0 ? "" : Invariant($"{values[0]:F1}");
        double mean = values.Average(), deviation = Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1));
        return Invariant($"{mean:F1} ± {deviation:F1}");
    }
}
