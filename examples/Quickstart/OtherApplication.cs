using System.Diagnostics;
using System.Text.Json;

namespace Quickstart;

/// <summary>Another application (<c>examples/ScoreSavedModel</c>), which references ML.NET and ONNX Runtime but not Smae, in a process of its own.</summary>
internal static class OtherApplication
{
    private static readonly string s_program = Path.Combine(AppContext.BaseDirectory, "ScoreSavedModel", "ScoreSavedModel.dll");

    /// <summary>Lets it load a saved classifier and score images.</summary>
    /// <param name="model">The saved classifier.</param>
    /// <param name="paths">The images.</param>
    /// <exception cref="InvalidOperationException">It failed; the message is its own.</exception>
    public static IReadOnlyList<ScoredImage> Score(string model, IReadOnlyList<string> paths)
    {
        var start = new ProcessStartInfo("dotnet", [s_program, model]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        foreach (string path in paths) process.StandardInput.WriteLine(path);
        process.StandardInput.Close();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"ScoreSavedModel failed with {process.ExitCode}: {errors.Result}");
        return JsonSerializer.Deserialize<ScoredImage[]>(output.Result)!;
    }
}
