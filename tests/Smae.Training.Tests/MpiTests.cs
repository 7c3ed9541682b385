using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Smae.Training.Tests;

/// <summary>Ranks as users start them: processes, MPI, <c>mpirun</c>; on this machine.</summary>
[TestClass]
[TestCategory("Process")]
public sealed class MpiTests : IDisposable
{
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(60);
    private const string Tcp = "tcp";
    private readonly string _folder = Directory.CreateTempSubdirectory("smae-mpi-").FullName;

    public required TestContext TestContext { get; init; }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void OneToFourRanksHaveTheLossOfOneProcessAfterFiftySteps()
    {
        const int epochs = 10;   // of 5 steps
        RankProgram.Result alone = Finish(null, "plain", epochs);
        Assert.IsFalse(alone.HasMpi, "a program without mpirun loads no MPI");
        for (int count = 1; count <= 4; count++)
        {
            RankProgram.Result together = Finish(count, "plain", epochs);
            Assert.IsTrue(together.HasMpi);
            Assert.AreEqual(alone.Losses[^1], together.Losses[^1], 1e-4 * alone.Losses[^1], $"{count} ranks");
            Assert.AreEqual(Math.Max(1, Environment.ProcessorCount / count), together.Threads, "a rank has its share of the cores");
            if (count == 1) Assert.AreEqual(alone.Weights, together.Weights);
        }
        Assert.AreEqual(alone.Losses[^1], Finish(2, "bfloat16", epochs).Losses[^1], 0.01 * alone.Losses[^1]);
    }

    /// <summary>As between hosts. MPI_Finalize of MPICH 4.0 hangs there in nearly every run.</summary>
    [TestMethod]
    public void RanksThatSpeakOverTcpEndToo()
    {
        Finish(2, Tcp, 2);
        Finish(3, Tcp, 2);
    }

    [TestMethod]
    public void WhatOneRankThrowsEndsAllWithItsRankHostAndCause()
    {
        (int code, string output, TimeSpan took) = Run(3, "throwing", 1000);
        Assert.AreNotEqual(0, code, output);
        Assert.IsLessThan(30, took.TotalSeconds);
        StringAssert.Contains(File.ReadAllText(Path.Combine(_folder, "failure-0")), $"rank 1 ({Environment.MachineName}) of 3 failed: IOException: the disk is gone");
        Assert.AreEqual("the disk is gone", File.ReadAllText(Path.Combine(_folder, "failure-1")));
    }

    [TestMethod]
    public void RanksThatDisagreeAreRefused()
    {
        (int code, string output, _) = Run(2, "disagreeing", 10);
        Assert.AreNotEqual(0, code, output);
        StringAssert.Contains(output, $"LearningRate is 0.001 on rank 0 ({Environment.MachineName}) and 0.002 on rank 1");
    }

    [TestMethod]
    public void ARankThatEndsEarlyEndsAll()
    {
        (int code, string output, TimeSpan took) = Run(2, "early", 10);
        Assert.AreNotEqual(0, code, output);
        Assert.IsLessThan(30, took.TotalSeconds);
    }

    [TestMethod]
    public void ARankThatHangsEndsAllAfterABoundedWait()
    {
        if (OperatingSystem.IsWindows()) Assert.Inconclusive("There is no SIGSTOP here.");
        (int code, string output, _) = Run(2, "stopped", 100000, pids => Signal("STOP", pids[1]));
        Assert.AreNotEqual(0, code, output);
        StringAssert.Contains(File.ReadAllText(Path.Combine(_folder, "failure-0")), "waited 3 seconds for");
    }

    /// <summary>Each of two ranks is killed once, at a random moment; then the run goes on with one, and with two.</summary>
    [TestMethod]
    public void ARunWhoseRanksAreKilledEndsAtOnceAndGoesOnWithAnotherNumber()
    {
        const int epochs = 40;
        RankProgram.Result alone = Finish(null, "plain", epochs);
        var random = new Random();
        foreach (int victim in (int[])[1, 0])
        {
            (int code, string output, TimeSpan took) = Run(2, "killed", epochs, pids =>
            {
                Thread.Sleep(random.Next(300));
                Signal("KILL", pids[victim]);
            });
            Assert.AreNotEqual(0, code, output);
            Assert.IsLessThan(40, took.TotalSeconds);
            int[] pids = Pids(2);
            StringAssert.Contains(output, $"PID {pids[victim]} RUNNING AT {Environment.MachineName}");
            StringAssert.Contains(output, "EXIT CODE: 9");
            StringAssert.Contains(output, $"rank {victim} is process {pids[victim]} on {Environment.MachineName}");
            foreach (int pid in pids) Assert.IsFalse(IsAlive(pid), $"process {pid} is still there");
        }
        RankProgram.Result resumed = Finish(3, "killed", epochs);
        StringAssert.Contains(_output, "Going on from");
        Assert.AreEqual(alone.Losses[^1], resumed.Losses[^1], 1e-4 * alone.Losses[^1]);
    }

    private string _output = "";

    private RankProgram.Result Finish(int? count, string kind, int epochs)
    {
        (int code, _output, _) = Run(count, kind, epochs);
        Assert.AreEqual(0, code, _output);
        return JsonSerializer.Deserialize<RankProgram.Result>(File.ReadAllText(Path.Combine(_folder, "result.json")))!;
    }

    /// <summary>Runs the program to its end.</summary>
    /// <param name="count">Ranks; null is without mpirun.</param>
    /// <param name="strike">Done once steps are taken, given the ranks' processes.</param>
    private (int Code, string Output, TimeSpan Took) Run(int? count, string kind, int epochs, Action<int[]>? strike = null)
    {
        foreach (string file in Directory.GetFiles(_folder)) File.Delete(file);
        string dotnet = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet";
        string[] program = [dotnet, "exec", typeof(RankProgram).Assembly.Location, RankProgram.Argument, _folder, kind, $"{epochs}"];
        string[] command = count is null ? program : [Mpirun(), .. kind == Tcp ? (string[])["-genv", "UCX_TLS", "tcp,self"] : [], "-n", $"{count}", .. program];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        var clock = Stopwatch.StartNew();
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        if (strike is not null)
        {
            while (!process.HasExited && !File.Exists(Path.Combine(_folder, "step")) && clock.Elapsed < s_longest) Thread.Sleep(5);
            if (!process.HasExited) strike(Pids(count!.Value));
        }
        if (!process.WaitForExit(s_longest))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{kind} did not end.");
        }
        TestContext.WriteLine($"{kind}, {count} ranks: {clock.Elapsed.TotalSeconds:F1} s, code {process.ExitCode}");
        return (process.ExitCode, output.Result + errors.Result, clock.Elapsed);
    }

    private int[] Pids(int count) =>
        [.. Enumerable.Range(0, count).Select(rank => int.Parse(File.ReadAllText(Path.Combine(_folder, $"pid-{rank}")), CultureInfo.InvariantCulture))];

    private static bool IsAlive(int pid)
    {
        try
        {
            using Process process = Process.GetProcessById(pid);
            return !process.WaitForExit(5000);
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static void Signal(string name, int pid)
    {
        using Process kill = Process.Start("kill", [$"-{name}", $"{pid}"]);
        kill.WaitForExit();
    }

    private static string Mpirun()
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        if (folders.Select(folder => Path.Combine(folder, "mpirun.mpich")).FirstOrDefault(File.Exists) is { } found) return found;
        const string missing = "mpirun.mpich is not there: apt-get install mpich.";
        if (Environment.GetEnvironmentVariable("CI") is null or "") Assert.Inconclusive(missing);
        Assert.Fail(missing);
        return missing;
    }
}
