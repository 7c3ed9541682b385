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
