using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Smae.Benchmarks;

/// <summary>A running side.</summary>
internal sealed class SideProcess : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _errors = new();
    private readonly List<SideRound> _rounds = [];
    private readonly Side _side;
    private readonly SideStart _start;

    /// <summary>Starts a side and waits until it is warm.</summary>
    /// <exception cref="InvalidOperationException">It ended instead; the message has what it wrote.</exception>
    public SideProcess(Side side)
    {
        _side = side;
        _process = Process.Start(side.ToProcess())!;
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_errors) _errors.AppendLine(line.Data);
        };
        _process.BeginErrorReadLine();
        try
        {
            _start = Read<SideStart>();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Whether it takes part in one more round.</summary>
    public bool HasMore => _side.MostRounds is not { } most || _rounds.Count < most;

    public SideResult Result => new(_side.Name, _side.Settings, _start, _rounds, PeakResidentBytes());

    /// <summary>Does a round.</summary>
    /// <param name="counts">Whether it goes into the result.</param>
    public void Round(bool counts = true)
    {
        _process.StandardInput.WriteLine();
        _process.StandardInput.Flush();
        var round = Read<SideRound>();
        if (counts) _rounds.Add(round);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.StandardInput.Close();   // a side ends where its input ends
            if (!_process.WaitForExit(TimeSpan.FromSeconds(10))) _process.Kill();
        }
        _process.Dispose();
    }

    private T Read<T>()
    {
        string? line = _process.StandardOutput.ReadLine();
        if (line is not null) return JsonSerializer.Deserialize<T>(line, SideSettings.Json)!;
        _process.WaitForExit();
        lock (_errors) throw new InvalidOperationException($"'{_side.Name}' ended with code {_process.ExitCode}:\n{_errors}");
    }

    // Of both sides alike, as the kernel counts it.
    private long PeakResidentBytes()
    {
        string file = $"/proc/{_process.Id}/status";
        string? line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)) : null;
        return line is null ? 0 : 1024 * long.Parse(line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
