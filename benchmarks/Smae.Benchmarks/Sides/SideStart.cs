using TorchSharp;

namespace Smae.Benchmarks;

/// <summary>What one side says of itself once it is warm.</summary>
internal sealed record SideStart(string Version, int Threads, IReadOnlyList<string> Blas)
{
    public static SideStart OfThisProcess() => new(torch.__version__, torch.get_num_threads(), LoadedBlas());

    // With their folders: Debian's builds of OpenBLAS differ in nothing else. A libblas beside an OpenBLAS only hands on to it.
    private static string[] LoadedBlas()
    {
        if (!File.Exists("/proc/self/maps")) return [];
        string[] all = [.. File.ReadLines("/proc/self/maps").Where(line => line.Contains("blas") && line.Contains(".so"))
            .Select(line => string.Join('/', line.TrimEnd().Split('/')[^2..])).Where(path => !path.Contains("lapack.so")).Distinct().Order()];
        string[] open = [.. all.Where(path => path.Contains("/libopenblas"))];
        return open.Length > 0 ? open : all;
    }
}
