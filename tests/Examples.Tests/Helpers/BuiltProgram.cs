using System.Diagnostics;

namespace Examples.Tests;

/// <summary>Starts an example as it was built, in a process of its own.</summary>
internal static class BuiltProgram
{
    /// <summary>The folder of an example's sources.</summary>
    public static string Folder(string name)
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Smae.sln"))) folder = folder.Parent;
        Assert.IsNotNull(folder, $"no Smae.sln above {AppContext.BaseDirectory}");
        return Path.Combine(folder.FullName, "examples", name);
    }

    /// <summary>Starts it, from another folder than its own, with both streams redirected.</summary>
    public static Process Start(string name, params string[] arguments) => Start(["dotnet", Program(name), .. arguments]);

    /// <summary>Runs it to its end as two ranks under MPI.</summary>
    public static (int Exit, string Output) RunTwoRanks(string name, params string[] arguments) => RunTwoRanks(name, arguments, arguments);

    /// <summary>The same with other arguments for each.</summary>
    public static (int Exit, string Output) RunTwoRanks(string name, string[] first, string[] second)
    {
        if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(path => File.Exists(Path.Combine(path, "mpirun.mpich"))))
        {
            const string missing = "mpirun.mpich is not there: apt-get install mpich.";
            if (Environment.GetEnvironmentVariable("CI") is null or "") Assert.Inconclusive(missing);
            Assert.Fail(missing);
        }
        return Finish(Start(["mpirun.mpich", "-n", "1", "dotnet", Program(name), .. first, ":", "-n", "1", "dotnet", Program(name), .. second]));
    }

    private static string Program(string name)
    {
        string built = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;   // Debug or Release, as this test
        return Path.Combine(Folder(name), "bin", built, "net10.0", $"{name}.dll");
    }

    private static Process Start(string[] command) => Process.Start(new ProcessStartInfo(command[0], command[1..])
    {
        WorkingDirectory = Path.GetTempPath(), RedirectStandardOutput = true, RedirectStandardError = true,
    })!;

    /// <summary>Runs it to its end.</summary>
    /// <returns>Exit code, and what was written to both streams.</returns>
    public static (int Exit, string Output) Run(string name, params string[] arguments) => Finish(Start(name, arguments));

    private static (int Exit, string Output) Finish(Process started)
    {
        using Process process = started;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        process.WaitForExit();
        return (process.ExitCode, output.Result + errors.Result);
    }
}
