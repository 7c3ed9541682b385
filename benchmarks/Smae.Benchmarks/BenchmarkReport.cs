using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.OnnxRuntime;
using Spectre.Console;
using TorchSharp;

namespace Smae.Benchmarks;

/// <summary>The middle and the ends of some measurements.</summary>
internal readonly record struct Spread(double Median, double Least, double Most)
{
    /// <exception cref="ArgumentException">There is no value.</exception>
    public static Spread Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        if (sorted.Length == 0) throw new ArgumentException("There is nothing to take the median of.", nameof(values));
        return new Spread((sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2, sorted[0], sorted[^1]);
    }
}

/// <summary>What a run of the benchmarks found: named figures, and the measurements that they come from.</summary>
internal sealed class BenchmarkReport
{
    private static readonly JsonSerializerOptions s_format = new(JsonSerializerDefaults.Web) { WriteIndented = true };
    private readonly JsonObject _figures = [], _measurements = [];

    /// <summary>Keeps a figure under a name; one that is no number becomes null.</summary>
    public void Add(string name, double figure) => _figures[name] = double.IsFinite(figure) ? figure : null;

    /// <summary>Keeps measurements as they are.</summary>
    public void AddMeasurements(string name, object measurements) => _measurements[name] = JsonSerializer.SerializeToNode(measurements, s_format);

    /// <summary>Writes everything: figures at the top, so that they are found by their names alone.</summary>
    public void Save(string file, IReadOnlyDictionary<string, string> machine)
    {
        var all = (JsonObject)_figures.DeepClone();
        all["machine"] = JsonSerializer.SerializeToNode(machine, s_format);
        all["measured"] = $"{DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC";
        all["measurements"] = _measurements.DeepClone();
        File.WriteAllText(file, all.ToJsonString(s_format));
    }
}

/// <summary>Where figures were measured, and with what.</summary>
internal static class MachineInfo
{
    // What changes how fast the libraries are: left as it is for all sides, and named in every report.
    private static readonly string[] s_families = ["OMP_", "KMP_", "MKL_", "ONEDNN_", "DNNL_", "MALLOC_", "DOTNET_GC", "SMAE_NATIVE"];

    /// <summary>Names and values, in the order in which they are shown.</summary>
    /// <param name="pyTorch">The version of PyTorch that is compared with; null if none is.</param>
    public static IReadOnlyDictionary<string, string> Describe(string? pyTorch) => new Dictionary<string, string>
    {
        ["processor"] = Processor(), ["processors"] = $"{Environment.ProcessorCount}",
        ["memory"] = $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1 << 30):F0} GiB",
        ["system"] = RuntimeInformation.OSDescription, [".NET"] = Environment.Version.ToString(),
        ["TorchSharp"] = VersionOf(typeof(torch)), ["libtorch"] = torch.__version__, ["ML.NET"] = VersionOf(typeof(Microsoft.ML.MLContext)),
        ["ONNX Runtime"] = OrtEnv.Instance().GetVersionString(), ["PyTorch"] = pyTorch ?? "none", ["environment"] = Variables(),
    };

    private static string Processor()
    {
        const string info = "/proc/cpuinfo";
        string? line = File.Exists(info) ? File.ReadLines(info).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line is null ? $"{RuntimeInformation.ProcessArchitecture}" : line[(line.IndexOf(':') + 1)..].Trim();
    }

    private static string VersionOf(Type type) =>
        type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";

    private static string Variables()
    {
        IEnumerable<string> set = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Where(v => s_families.Any(f => ((string)v.Key).StartsWith(f, StringComparison.Ordinal)))
            .Select(v => $"{v.Key}={v.Value}").Order(StringComparer.Ordinal);
        return string.Join(' ', set) is { Length: > 0 } some ? some : "none that matters";
    }
}

/// <summary>Numbers and tables as the benchmarks print them.</summary>
internal static class Text
{
    public static string Number(double value, string format = "0.0") => value.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>A length of time in the unit that suits it.</summary>
    public static string Seconds(double value) => value < 1 ? $"{Number(value * 1000, value < 0.1 ? "0.00" : "0.0")} ms" : $"{Number(value, "0.00")} s";

    public static string Range(Spread seconds) => $"{Seconds(seconds.Least)} - {Seconds(seconds.Most)}";

    public static string Megabytes(double bytes) => $"{Number(bytes / (1 << 20), "0")} MiB";

    /// <summary>A table whose first column is text and whose other columns are numbers.</summary>
    public static Table Table(string title, params IReadOnlyList<string> columns)
    {
        var table = new Table().Title(Markup.Escape(title));
        for (int i = 0; i < columns.Count; i++)
        {
            var column = new TableColumn(Markup.Escape(columns[i]));
            table.AddColumn(i == 0 ? column.NoWrap() : column.RightAligned());
        }
        return table;
    }
}
