using System.Diagnostics;
using System.Text.Json;

namespace Smae.Benchmarks;

/// <summary>A contestant: a process of its own, which does one round for each line it is given and sleeps in between.</summary>
/// <param name="Name">What it is, for people.</param>
/// <param name="Settings">What it does.</param>
/// <param name="Start">The process, without the settings.</param>
internal sealed record Side(string Name, SideSettings Settings, Func<ProcessStartInfo> Start)
{
    /// <summary>Rounds after which it need not take part any more; null is never. For sides so slow that they would take up the time of all others.</summary>
    public int? MostRounds { get; init; }

    /// <summary>Smae, in a process that is started as this one was.</summary>
    public static Side Smae(string name, SideSettings settings) => new(name, settings, () =>
        new ProcessStartInfo("dotnet", [typeof(Side).Assembly.Location, "side"]));

    /// <summary>The process with its settings and its streams.</summary>
    public ProcessStartInfo ToProcess()
    {
        ProcessStartInfo start = Start();
        start.ArgumentList.Add(JsonSerializer.Serialize(Settings, SideSettings.Json));
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        return start;
    }
}
