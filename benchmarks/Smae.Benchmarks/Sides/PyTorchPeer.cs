using System.Diagnostics;
using System.Runtime.Intrinsics.X86;

namespace Smae.Benchmarks;

/// <summary>
/// PyTorch as the other side: <c>pytorch/peer.py</c> under the Python that <c>SMAE_PYTHON</c> names, else Debian's. As installed it gets the
/// environment of whoever started the benchmark, without anything that build.sh sets for Smae; tuned it gets all that Smae finds by itself.
/// </summary>
internal sealed class PyTorchPeer
{
    /// <summary>Set by build.sh: the caller's own <c>LD_LIBRARY_PATH</c>, and the folders of the BLAS libraries that Debian may give to PyTorch.</summary>
    private const string CallersLibraryPath = "SMAE_BENCH_LIBRARY_PATH", OpenBlas = "SMAE_BENCH_OPENBLAS", ReferenceBlas = "SMAE_BENCH_REFERENCE_BLAS";
    /// <summary>Names of sides.</summary>
    public const string Installed = "PyTorch, as installed", OnReferenceBlas = "PyTorch, reference BLAS";

    private readonly string _python;

    private PyTorchPeer(string python, string version) => (_python, Version) = (python, version);

    /// <summary>The version of PyTorch.</summary>
    public string Version { get; }

    /// <summary>Whether there is the reference BLAS to run PyTorch with, which is all that Debian's package asks for.</summary>
    public static bool HasReferenceBlas => Setting(ReferenceBlas) is not null;

    /// <summary>Looks for a Python that has PyTorch.</summary>
    /// <param name="reason">Why there is none.</param>
    public static PyTorchPeer? Find(out string reason)
    {
        string python = Setting("SMAE_PYTHON") ?? (File.Exists("/usr/bin/python3") ? "/usr/bin/python3" : "python3");
        try
        {
            var start = new ProcessStartInfo(python, ["-c", "import torch; print(torch.__version__)"]) { RedirectStandardOutput = true, RedirectStandardError = true };
            using Process process = Process.Start(start)!;
            Task<string> errors = process.StandardError.ReadToEndAsync();
            string version = process.StandardOutput.ReadToEnd().Trim();
            process.WaitForExit();
            reason = $"'{python}' has no PyTorch ({errors.Result.Trim().Split('\n')[^1]})";
            return process.ExitCode == 0 ? new PyTorchPeer(python, version) : null;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            reason = $"'{python}' cannot be run ({e.Message})";
            return null;
        }
    }

    /// <summary>PyTorch as a user has it after installing it, and OpenBLAS with it.</summary>
    public Side AsInstalled(SideSettings settings) => Of(Installed, settings with { Tuned = false }, Setting(OpenBlas));

    /// <summary>PyTorch as a user has it who installs Debian's package and nothing else: with the reference BLAS.</summary>
    public Side WithReferenceBlas(SideSettings settings) =>
        Of(OnReferenceBlas, settings with { Tuned = false }, Setting(ReferenceBlas)) with { MostRounds = 1 };

    /// <summary>PyTorch with all settings that Smae makes.</summary>
    public Side Tuned(string name, SideSettings settings) => new(name, settings with { Tuned = true }, () =>
    {
        ProcessStartInfo start = Script();   // the library path of this process: what build.sh chose for Smae
        void Default(string variable, string value)
        {
            if (string.IsNullOrEmpty(Setting(variable))) start.Environment[variable] = value;
        }
        // As Smae.Training.NativeTuning; malloc and threads are set by the script.
        if (Setting("OMP_WAIT_POLICY") is null) Default("GOMP_SPINCOUNT", "10000");
        if (Avx512F.IsSupported) Default("OPENBLAS_CORETYPE", "SkylakeX");
        return start;
    });

    private Side Of(string name, SideSettings settings, string? blas) => new(name, settings, () =>
    {
        ProcessStartInfo start = Script();
        // A user's own PyTorch (SMAE_PYTHON) brings its own libraries; Debian's takes the BLAS that the folder holds.
        string path = string.Join(':', ((string?[])[blas, Setting(CallersLibraryPath)]).Where(p => !string.IsNullOrEmpty(p)));
        if (path.Length > 0) start.Environment["LD_LIBRARY_PATH"] = path;
        else if (Environment.GetEnvironmentVariable(CallersLibraryPath) is not null) start.Environment.Remove("LD_LIBRARY_PATH");
        return start;
    });

    private ProcessStartInfo Script() => new(_python, ["-u", Path.Combine(AppContext.BaseDirectory, "pytorch", "peer.py")]);

    private static string? Setting(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;
}
