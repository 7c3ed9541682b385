using System.Diagnostics;
using System.Globalization;
using Smae.Tests;

namespace Smae.Training.Tests;

/// <summary>
/// A run that is killed outright, several times and each time without warning, ends as one left alone. The environment variable
/// <c>SMAE_TEST_KILLS</c> says how often; 3 if it is not set.
/// </summary>
[TestClass]
public sealed class KillTests
{
    private const int EpochsPerKill = 4;   // so that the last kill strikes a run that is not over

    private static int Kills { get; } = int.Parse(Environment.GetEnvironmentVariable("SMAE_TEST_KILLS") ?? "3", CultureInfo.InvariantCulture);

    public required TestContext TestContext { get; init; }

    [TestMethod]
    [TestCategory("Process")]
    public void ARunKilledAtRandomMomentsEndsAsOneLeftAlone() => KillAndCompare("MAE", Kills, latest: 300);

    [TestMethod]
    [TestCategory("Process")]
    [DynamicData(nameof(EveryMethod.Rows), typeof(EveryMethod))]
    public void ARunOfEveryMethodDoes(string method) => KillAndCompare(method, kills: 1, latest: 60);

    private void KillAndCompare(string method, int kills, int latest)
    {
        string folder = Directory.CreateTempSubdirectory("smae-kill-").FullName;
        try
        {
            string alone = Path.Combine(folder, "alone.bin"), killed = Path.Combine(folder, "killed.bin");
            KilledRun.Run(Path.Combine(folder, "a"), alone, Epochs(kills), method);   // needs no process of its own
            var random = new Random();
            int struck = 0;
            for (int i = 0; i < kills; i++)
                if (Run(method, kills, Path.Combine(folder, "b"), killed, TimeSpan.FromMilliseconds(random.Next(latest))).Killed) struck++;
            List<string> log = Run(method, kills, Path.Combine(folder, "b"), killed, killAfter: null).Log;
            TestContext.WriteLine($"{struck} of {kills} kills struck before the end. {log.Find(WentOn)}");
            Assert.IsTrue(log.Exists(WentOn), string.Join('\n', log));
            Assert.IsGreaterThan(0, struck);
            CollectionAssert.AreEqual(File.ReadAllBytes(alone), File.ReadAllBytes(killed));
            Assert.IsEmpty(Directory.GetFiles(Path.Combine(folder, "b"), "*.tmp"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        static bool WentOn(string line) => line.StartsWith("Going on from", StringComparison.Ordinal);
    }

    private static string Epochs(int kills) => string.Create(CultureInfo.InvariantCulture, $"{EpochsPerKill * (kills + 1)}");

    /// <summary>Runs to the end, or to a moment after the first checkpoint; tells what was logged and whether the end was not reached.</summary>
    private static (List<string> Log, bool Killed) Run(string method, int kills, string checkpoints, string result, TimeSpan? killAfter)
    {
        string dotnet = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet";
        string[] arguments = ["exec", typeof(KilledRun).Assembly.Location, checkpoints, result, Epochs(kills), method];
        var start = new ProcessStartInfo(dotnet, arguments)
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
        return (log, process.ExitCode != 0);
    }
}
