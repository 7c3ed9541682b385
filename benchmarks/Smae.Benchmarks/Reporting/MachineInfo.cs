using System.Collections;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using TorchSharp;

namespace Smae.Benchmarks;

/// <summary>Where figures were measured, and with what.</summary>
internal static class MachineInfo
{
    // What changes how fast the libraries are: left as it is for both sides, and named in every report.
    private static readonly string[] s_families = ["OPENBLAS_", "OMP_", "GOMP_", "KMP_", "MKL_", "ONEDNN_", "DNNL_", "MALLOC_", "DOTNET_GC", "SMAE_NATIVE"];

    /// <summary>Names and values, in the order in which they are shown.</summary>
    /// <param name="pyTorch">The version of PyTorch that is compared with; null if none is.</param>
    public static IReadOnlyDictionary<string, string> Describe(string? pyTorch) => new Dictionary<string, string>
    {
        ["processor"] = Processor(), ["processors"] = $"{Environment.ProcessorCount}",
        ["memory"] = $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1 << 30):F0} GiB",
        ["system"] = RuntimeInformation.OSDescription, [".NET"] = Environment.Version.ToString(),
        ["TorchSharp"] = VersionOf(typeof(torch)), ["libtorch"] = torch.__version__,
        ["ONNX Runtime"] = OrtEnv.Instance().GetVersionString(), ["PyTorch"] = pyTorch ?? "none",
        ["environment"] = Variables(),
    };

    private static string Processor()
    {
        const string info = "/proc/cpuinfo";
        string? line = File.Exists(info) ? File.ReadLines(info).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line is null ? $"{RuntimeInformation.ProcessArchitecture}" : line[(line.IndexOf(':') + 1)..].Trim();
    }

    private static string VersionOf(Type type) => type.Assembly.GetName().Version?.ToString() ?? "unknown";

    private static string Variables()
    {
        IEnumerable<string> set = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Where(v => s_families.Any(f => ((string)v.Key).StartsWith(f, StringComparison.Ordinal)))
            .Select(v => $"{v.Key}={v.Value}").Order(StringComparer.Ordinal);
        return string.Join(' ', set) is { Length: > 0 } some ? some : "none that matters";
    }
}
