using System.Collections.Concurrent;
using System.Formats.Tar;

namespace Smae.MLNet.Tests;

/// <summary>Samples of real data sets, which lie beside the repository on some machines: tests that want them are skipped elsewhere.</summary>
[TestClass]
public static class SharedData
{
    private static readonly ConcurrentDictionary<string, Lazy<string>> Extracted = new();
    private static readonly Lazy<string> Root = new(() => Directory.CreateTempSubdirectory("smae-data-").FullName);

    /// <summary>The folder of the data set in <c>shared/data/NAME.tar</c>, unpacked once a run.</summary>
    public static string Folder(string name)
    {
        string? repository = AppContext.BaseDirectory;
        while (repository is not null && !File.Exists(Path.Combine(repository, "Smae.sln")))
            repository = Path.GetDirectoryName(repository);
        string archive = Path.GetFullPath(Path.Combine(repository ?? ".", "..", "shared", "data", name + ".tar"));
        if (!File.Exists(archive))
            Assert.Inconclusive($"The sample {name}.tar is not beside the repository.");
        return Extracted.GetOrAdd(name, _ => new Lazy<string>(() => Extract(archive, name))).Value;
    }

    [AssemblyCleanup]
    public static void DeleteExtracted()
    {
        if (Root.IsValueCreated)
            Directory.Delete(Root.Value, recursive: true);
    }

    private static string Extract(string archive, string name)
    {
        string target = Path.Combine(Root.Value, name);
        Directory.CreateDirectory(target);
        TarFile.ExtractToDirectory(archive, target, overwriteFiles: true);
        string inner = Path.Combine(target, name);
        return Directory.Exists(inner) ? inner : target;
    }
}
