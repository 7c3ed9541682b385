using System.Diagnostics;

namespace Smae.Training.Tests;

/// <summary>A run that is killed outright, three times and each time without warning, ends as one left alone.</summary>
[TestClass]
public sealed class KillTests
{
    [TestMethod]
    [TestCategory("Process")]
    [Timeout(120_000)]
    public void ARunKilledAtRandomMomentsEndsAsOneLeftAlone()
    {
        string folder = Directory.CreateTempSubdirectory("smae-kill-").FullName;
        try
        {
            string alone = Path.Combine(folder, "alone.bin"), killed = Path.Combine(folder, "killed.bin");
            Run(Path.Combine(folder, "a"), alone, killAfter: null);
            var random = new Random();
            for (int i = 0; i < 3; i++) Run(Path.Combine(folder, "b"), killed, killAfter: TimeSpan.FromMilliseconds(random.Next(300)));
            List<string> log = Run(Path.Combine(folder, "b"), killed, killAfter: null);
            Assert.IsTrue(log.Any(l => l.StartsWith("Going on from", StringComparison.Ordinal)), string.Join('\n', log));
            CollectionAssert.AreEqual(File.ReadAllBytes(alone), File.ReadAllBytes(killed));
            Assert.IsEmpty(Directory.GetFiles(Path.Combine(folder, "b"), "*.tmp"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Runs to the end, or to a moment after the first checkpoint, and gives what was logged.</summary>
    private static List<string> Run(string checkpoints, string result, TimeSpan? killAfter)
    {
        string dotnet = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet";
        var start = new ProcessStartInfo(dotnet, ["exec", typeof(KilledRun).Assembly.Location, checkpoints, result])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        var log = new List<string>();
        while (process.StandardOutput.ReadLine() is { } line)
        {
            log.Add(line);
            if (killAfter is not { } after || !line.StartsWith("Pretraining on", StringComparison.Ordinal)) continue;
            bool Saved() => Directory.Exists(checkpoints) && Directory.EnumerateFiles(checkpoints, "*.safetensors").Any();
            while (!process.HasExited && !Saved()) Thread.Sleep(5);
            Thread.Sleep(after);
            process.Kill();
        }
        process.WaitForExit();
        if (killAfter is null) Assert.AreEqual(0, process.ExitCode, errors.Result);
        return log;
    }
}
