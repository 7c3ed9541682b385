using System.Text.Json;
using System.Text.Json.Nodes;

namespace Smae.Benchmarks;

/// <summary>What a run of the benchmarks found: named figures, and the measurements that they come from.</summary>
internal sealed class BenchmarkReport
{
    private static readonly JsonSerializerOptions s_format = new(JsonSerializerDefaults.Web) { WriteIndented = true };
    private readonly Dictionary<string, double> _figures = [];
    private readonly JsonObject _measurements = [];

    /// <summary>The figures so far.</summary>
    public IReadOnlyDictionary<string, double> Figures => _figures;

    /// <summary>Keeps a figure under a name.</summary>
    /// <returns>The figure.</returns>
    public double Add(string name, double figure) => _figures[name] = figure;

    /// <summary>Keeps measurements as they are.</summary>
    public void AddMeasurements(string name, object measurements) => _measurements[name] = JsonSerializer.SerializeToNode(measurements, s_format);

    /// <summary>Writes everything: figures at the top, so that they are found by their names alone.</summary>
    /// <param name="file">The file.</param>
    /// <param name="machine">Where this was measured.</param>
    public void Save(string file, IReadOnlyDictionary<string, string> machine)
    {
        var all = new JsonObject();
        foreach ((string name, double figure) in _figures) all[name] = double.IsFinite(figure) ? figure : null;
        all["machine"] = JsonSerializer.SerializeToNode(machine, s_format);
        all["measured"] = $"{DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC";
        all["measurements"] = _measurements.DeepClone();
        File.WriteAllText(file, all.ToJsonString(s_format));
    }
}
