using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Reproduction;

/// <summary>All that was measured, kept in <c>results.json</c> after every measurement so that a killed run goes on.</summary>
internal sealed class Results
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private readonly string _path;
    private Content _content;

    private Results(string path, Content content) => (_path, _content) = (path, content);

    public IReadOnlyList<Figures> Rows => _content.Rows;

    /// <summary>Begins a folder's results, or goes on with them.</summary>
    /// <exception cref="InvalidOperationException">
    /// There are some already and they are not to be gone on with, or are of another experiment.
    /// </exception>
    /// <exception cref="InvalidDataException">The file does not hold results.</exception>
    public static Results Open(ReproductionSettings settings)
    {
        string path = Path.Combine(settings.Output.FullName, "results.json");
        var content = new Content(settings.Scale, settings.TinyImageNet.Name, settings.Cub.Name, [], [], []);
        if (File.Exists(path))
        {
            if (!settings.Resume)
                throw new InvalidOperationException($"{path} is there already: go on with --resume, or choose another folder with --out.");
            Content found = Read(path);
            if (Kind(found) != Kind(content))
                throw new InvalidOperationException($"{path} is of {Kind(found)}, not of {Kind(content)}: choose another folder with --out.");
            content = found;
        }
        var results = new Results(path, content);
        results.Save();
        return results;

        static string Kind(Content content) => $"scale {content.Scale}, {content.TinyImageNet} and {content.Cub}";
    }

    /// <summary>Top-1 of the critic that was trained with a seed; null if there is none yet.</summary>
    public double? Critic(int seed) => _content.Critics.TryGetValue(seed, out double top1) ? top1 : null;

    public void SetCritic(int seed, double top1)
    {
        _content.Critics[seed] = top1;
        Save();
    }

    /// <summary>Loss of the teacher that was trained with a seed; null if there is none yet.</summary>
    public double? Teacher(int seed) => _content.Teachers.TryGetValue(seed, out double loss) ? loss : null;

    public void SetTeacher(int seed, double loss)
    {
        _content.Teachers[seed] = loss;
        Save();
    }

    public Figures Of(Method method, int seed) =>
        Rows.FirstOrDefault(f => f.Method == method.Key && f.Seed == seed) ?? new Figures { Method = method.Key, Seed = seed };

    public void Set(Figures figures)
    {
        _content = _content with { Rows = [.. Rows.Where(f => (f.Method, f.Seed) != (figures.Method, figures.Seed)), figures] };
        Save();
    }

    private static Content Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<Content>(File.ReadAllText(path), s_json) is { Teachers: not null } content
                ? content : throw new JsonException("it is empty, or of an older version of this program");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path} does not hold results: {e.Message}", e);
        }
    }

    private void Save() => WriteWhole(_path, JsonSerializer.Serialize(_content, s_json) + "\n");

    /// <summary>Writes a file under another name first: whoever looks sees the old one or the whole new one.</summary>
    public static void WriteWhole(string path, string text)
    {
        File.WriteAllText(path + ".tmp", text);
        File.Move(path + ".tmp", path, overwrite: true);
    }

    private sealed record Content(
        Scale Scale, string TinyImageNet, string Cub, Dictionary<int, double> Critics, Dictionary<int, double> Teachers, Figures[] Rows);
}

/// <summary>What was measured of one method with one seed; null where it has not been yet.</summary>
internal sealed record Figures
{
    public required string Method { get; init; }

    public required int Seed { get; init; }

    /// <summary>Images pretrained on a second.</summary>
    public double? ImagesPerSecond { get; init; }

    /// <summary>The most memory that the process held while it pretrained, in MiB.</summary>
    public double? PeakMegabytes { get; init; }

    /// <summary>Top-1 on Tiny ImageNet of the 20 nearest training images' vote, 0 to 1.</summary>
    public double? Neighbors { get; init; }

    /// <summary>Top-1 on Tiny ImageNet of a linear classifier on the frozen encoder, 0 to 1.</summary>
    public double? LinearProbe { get; init; }

    /// <summary>Top-1 on Tiny ImageNet after training end to end, 0 to 1.</summary>
    public double? TinyImageNet { get; init; }

    /// <summary>Top-1 on CUB after training end to end, 0 to 1.</summary>
    public double? Cub { get; init; }

    /// <summary>Time spent in training steps so far: pretraining, probe and both fine-tunings.</summary>
    public double Seconds { get; init; }
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
            Percent(seeds.Select(f => f.TinyImageNet)), Percent(seeds.Select(f => f.Cub)), own is null ? "" : Invariant($"{own:F2}"),
            own is null || cost is null ? "" : Invariant($"{own / cost:F2}"), Mean(seeds.Select(f => f.PeakMegabytes)),
            Mean(seeds.Select(f => (double?)f.Seconds)),
        ];
    }

    /// <summary>Milliseconds of pretraining that an image costs in an epoch.</summary>
    private static double? Cost(IEnumerable<Figures> seeds) => seeds.Select(f => 1000 / f.ImagesPerSecond).Average();

    private static string Percent(IEnumerable<double?> shares)
    {
        double[] values = [.. shares.OfType<double>().Select(s => 100 * s)];
        if (values.Length < 2) return values.Length == 0 ? "" : Invariant($"{values[0]:F1}");
        double mean = values.Average(), deviation = Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1));
        return Invariant($"{mean:F1} ± {deviation:F1}");
    }

    private static string Mean(IEnumerable<double?> numbers) =>
        numbers.OfType<double>().ToArray() is { Length: > 0 } values ? Invariant($"{values.Average():F0}") : "";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
