using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Examples;
using Smae.Training;
using static System.FormattableString;

namespace Reproduction;

/// <summary>All that was measured, kept in <c>results.json</c> after every measurement so that a killed run goes on.</summary>
/// <param name="Critics">Top-1 of the critic that was trained with a seed.</param>
/// <param name="Teachers">Loss of the teacher that was trained with a seed.</param>
/// <param name="TunedTeachers">Top-1 of the teacher that was fine-tuned with a seed.</param>
/// <param name="Trials">Top-1 of the neighbours after a trial of a learning rate, by <see cref="Trial"/>.</param>
internal sealed record Results(
    Scale Scale, string Images, string? Cub, string Rates, Dictionary<int, double> Critics, Dictionary<int, double> Teachers,
    Dictionary<int, double> TunedTeachers, Dictionary<string, double> Trials,
    List<Figures> Rows)
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private string? _path;   // null on processes that do not write

    private string Kind => $"scale {Scale}, {Images}{(Cub is null ? "" : $" and {Cub}")}, learning rates times {Rates}";

    /// <summary>The name of a trial.</summary>
    public static string Trial(Method method, double rate) => Invariant($"{method.Key}, rate x {rate}");

    /// <summary>Begins a folder's results, or goes on with them.</summary>
    /// <exception cref="InvalidOperationException">
    /// There are some already and they are not to be gone on with, or are of another experiment.
    /// </exception>
    /// <exception cref="InvalidDataException">The file does not hold results.</exception>
    public static Results Open(Settings settings, DataParallel? ranks)
    {
        string path = Path.Combine(settings.Output.FullName, "results.json");
        Results results = ranks.OnFirst(() => Open(settings, path));   // what is left to do is the same for all
        if (ranks.IsFirst()) results._path = path;
        return results;
    }

    private static Results Open(Settings settings, string path)
    {
        settings.Output.Create();
        var results = new Results(
            settings.Scale, settings.Images.Name, settings.Cub?.Name, string.Join(", ", settings.Rates.Select(rate => Invariant($"{rate}"))), [], [], [], [], []);
        if (File.Exists(path))
        {
            if (!settings.Resume)
                throw new InvalidOperationException($"{path} is there already: go on with --resume, or choose another folder with --out.");
            Results found = Read(path);
            if (found.Kind != results.Kind)
                throw new InvalidOperationException($"{path} is of {found.Kind}, not of {results.Kind}: choose another folder with --out.");
            results = found;
        }
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

    public void Save()
    {
        if (_path is not null) AtomicFile.Write(_path, stream => JsonSerializer.Serialize(stream, this, s_json));
    }

    private static Results Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<Results>(File.ReadAllText(path), s_json) is { TunedTeachers: not null, Trials: not null } results
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
    public double? Neighbors { get; init; }   // by the vote of the 20 nearest training images
    public double? LinearProbe { get; init; }   // of a linear classifier on the frozen encoder
    public Dictionary<string, double> Tuned { get; init; } = [];   // after training end to end: on a share of the labels, on the second set; by the table's columns
    public double? Rate { get; init; }   // the factor that the learning rate of pretraining was multiplied by
    public double Seconds { get; init; }   // spent in training steps so far: pretraining, probe and fine-tunings
}

/// <summary>The table.</summary>
internal static class ResultTable
{
    /// <summary>The table as cells, the head first.</summary>
    /// <param name="results">What was measured; of several seeds the table shows mean and standard deviation.</param>
    public static string[][] Cells(Settings settings, Results results)
    {
        double? cost = Cost(results.Rows.Where(f => f.Method == Method.Baseline));
        string[] head =
        [
            "method", "masking", "k-NN", "linear probe", .. settings.Tunings, .. settings.Rates.Count > 1 ? (string[])["rate"] : [],
            "ms/image", "of MAE's", "MiB", "seconds",
        ];
        return [head, .. settings.Methods.Select(m => Row(settings, m, [.. results.Rows.Where(f => f.Method == m.Key)], cost))];
    }

    /// <summary>The same in Markdown.</summary>
    public static string Of(Settings settings, Results results)
    {
        string[][] rows = Cells(settings, results);
        int[] widths = [.. rows[0].Select((_, column) => rows.Max(row => row[column].Length))];
        var text = new StringBuilder();
        for (int i = 0; i < rows.Length; i++)
        {
            IEnumerable<string> cells = rows[i].Select((cell, c) => c < 2 ? cell.PadRight(widths[c]) : cell.PadLeft(widths[c]));
            text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
            if (i == 0) text.Append('|').AppendJoin('|', widths.Select((w, c) => new string('-', w + 1) + (c < 2 ? '-' : ':'))).Append("|\n");
        }
        return text.ToString();
    }

    /// <summary>The methods whose linear probe is not above that of random weights by more than the larger of both deviations; needs two seeds and that row.</summary>
    public static IReadOnlyList<string> NoBetterThanRandom(Settings settings, Results results)
    {
        (double Mean, double Deviation)? Probe(string key) => Spread(results.Rows.Where(f => f.Method == key).Select(f => f.LinearProbe));
        if (Probe(Method.Untrained) is not { } random) return [];
        return
        [
            .. settings.Methods.Where(m => m.Key != Method.Untrained
                && Probe(m.Key) is { } probe && probe.Mean - random.Mean <= Math.Max(probe.Deviation, random.Deviation))
                .Select(m => $"{m.Name} {m.Masking}".Trim()),
        ];
    }

    private static string[] Row(Settings settings, Method method, Figures[] seeds, double? cost)
    {
        double? own = Cost(seeds);
        return
        [
            method.Name, method.Masking, Percent(seeds.Select(f => f.Neighbors)), Percent(seeds.Select(f => f.LinearProbe)),
            .. settings.Tunings.Select(name => Percent(seeds.Select(f => f.Tuned.TryGetValue(name, out double top1) ? top1 : (double?)null))),
            .. settings.Rates.Count > 1 ? (string[])[Invariant($"{seeds.FirstOrDefault()?.Rate}")] : [],
            Invariant($"{own:F2}"), Invariant($"{own / cost:F2}"), Invariant($"{seeds.Average(f => f.PeakMegabytes):F0}"),
            seeds.Length == 0 ? "" : Invariant($"{seeds.Average(f => f.Seconds):F0}"),
        ];
    }

    /// <summary>Milliseconds of pretraining that an image costs in an epoch.</summary>
    private static double? Cost(IEnumerable<Figures> seeds) => seeds.Average(f => 1000 / f.ImagesPerSecond);

    private static string Percent(IEnumerable<double?> shares)
    {
        double[] values = [.. shares.OfType<double>()];
        return Spread(shares) is var (mean, deviation) ? Invariant($"{100 * mean:F1} ± {100 * deviation:F1}")
            : values.Length == 0 ? "" : Invariant($"{100 * values[0]:F1}");
    }

    /// <summary>Mean and standard deviation of what was measured at least twice.</summary>
    private static (double Mean, double Deviation)? Spread(IEnumerable<double?> shares)
    {
        double[] values = [.. shares.OfType<double>()];
        if (values.Length < 2) return null;
        double mean = values.Average();
        return (mean, Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1)));
    }
}
