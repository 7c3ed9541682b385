using System.Diagnostics;

namespace Packages.Tests;

/// <summary>The SDK that runs these tests.</summary>
internal static class Dotnet
{
    /// <summary>Runs it, and fails the test if it fails.</summary>
    /// <returns>What was written to both streams.</returns>
    public static string Succeeds(string folder, params string[] arguments)
    {
        (int exit, string output) = Run(folder, arguments);
        Assert.AreEqual(0, exit, output);
        return output;
    }

    /// <summary>Runs it.</summary>
    /// <returns>Exit code, and what was written to both streams.</returns>
    public static (int Exit, string Output) Run(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        // What the test host was started with would reach into another build.
        foreach (string name in start.Environment.Keys.Where(k => k.StartsWith("MSBuild", StringComparison.OrdinalIgnoreCase)).ToArray())
            start.Environment.Remove(name);
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }
}
