using System.ComponentModel;
using System.Diagnostics;

namespace Smae.Benchmarks;

/// <summary>
/// PyTorch as a peer: <c>pytorch/peer.py</c> under the Python that <c>SMAE_PYTHON</c> names, else under <c>python3</c>. Tuned it gets Smae's settings of
/// malloc and threads, autocast, and AdamW with <c>foreach</c>.
/// </summary>
/// <param name="Python">The Python.</param>
/// <param name="Version">The version of PyTorch.</param>
internal sealed record PyTorchPeer(string Python, string Version)
{
    public const string Installed = "PyTorch, as installed", Tuned = "PyTorch, tuned, bf16";

    /// <summary>Looks for a Python that has PyTorch.</summary>
    /// <param name="say">Told in a line why there is none.</param>
    public static PyTorchPeer? Find(Action<string> say)
    {
        string python = Environment.GetEnvironmentVariable("SMAE_PYTHON") is { Length: > 0 } named ? named : "python3";
        try
        {
            var start = new ProcessStartInfo(python, ["-c", "import torch; print(torch.__version__)"]) { RedirectStandardOutput = true, RedirectStandardError = true };
            using Process process = Process.Start(start)!;
            Task<string> errors = process.StandardError.ReadToEndAsync();
            string version = process.StandardOutput.ReadToEnd().Trim();
            process.WaitForExit();
            if (process.ExitCode == 0) return new PyTorchPeer(python, version);
            say($"PyTorch is left out: '{python}' has none ({errors.Result.Trim().Split('\n')[^1]}).");
        }
        catch (Win32Exception e)
        {
            say($"PyTorch is left out: '{python}' cannot be run ({e.Message}).");
        }
        return null;
    }

    /// <summary>PyTorch as installed, in float32, and tuned, in bfloat16 where that is measured.</summary>
    public IEnumerable<Side> Sides(SideSettings settings, bool bf16)
    {
        yield return new Side(Installed, settings with { Tuned = false, Bf16 = false }, Script);
        if (bf16) yield return new Side(Tuned, settings with { Tuned = true, Bf16 = true }, Script);
    }

    private ProcessStartInfo Script() => new(Python, ["-u", Path.Combine(AppContext.BaseDirectory, "pytorch", "peer.py")]);
}
