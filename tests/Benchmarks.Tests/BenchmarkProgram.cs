using System.Diagnostics;
using System.Text.Json.Nodes;
using Smae.Benchmarks;

namespace Benchmarks.Tests;

/// <summary>The program in a process of its own, as it starts others of itself.</summary>
internal static class BenchmarkProgram
{
    /// <summary>Runs a command in its quickest form.</summary>
    /// <returns>What it wrote to its JSON file, and to its streams.</returns>
    public static (JsonNode Json, string Output) Quick(params IEnumerable<string> arguments)
    {
        string file = Path.Combine(Path.GetTempPath(), $"{Path.GetRandomFileName()}.json");
        try
        {
            (int exit, string output) = Run([.. arguments, "--quick", "--json", file]);
            Assert.AreEqual(0, exit, output);
            return (JsonNode.Parse(File.ReadAllText(file))!, output);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <returns>Exit code, and what was written to both streams.</returns>
    public static (int Exit, string Output) Run(params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(BenchmarkReport).Assembly.Location, .. arguments])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }

    /// <summary>Fails unless all figures are there; a share may be zero where there is little to see.</summary>
    public static void HasFigures(JsonNode json, params IEnumerable<string> names)
    {
        string[] missing = [.. names.Where(name => json[name] is not JsonValue value || !(value.GetValue<double>() >= 0))];
        Assert.IsEmpty(missing, $"{string.Join(", ", missing)} in {json.ToJsonString()}");
    }
}
