using TorchSharp;

namespace Smae.Benchmarks;

/// <summary>What one side says of itself once it is warm.</summary>
internal sealed record SideStart(string Version, int Threads, IReadOnlyList<string> Blas)
{
    public static SideStart OfThisProcess() => new(torch.__version__, torch.get_num_threads(), LoadedBlas());

    private static string[] LoadedBlas() => File.Exists("/proc/self/maps")
        ? [.. File.ReadLines("/proc/self/maps").Where(line => line.Contains("blas")).Select(line => Path.GetFileName(line.TrimEnd())).Distinct().Order()]
        : [];
}
