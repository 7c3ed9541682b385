namespace Smae.Training.Tests;

/// <summary>
/// Files with weights, inputs and outputs of other implementations: our own plain PyTorch one beside the tests, and those of the published code in the
/// folder that <c>SMAE_GOLDEN</c> names.
/// </summary>
internal static class Golden
{
    private static string? Published
    {
        get
        {
            if (Environment.GetEnvironmentVariable("SMAE_GOLDEN") is { Length: > 0 } named) return named;
            for (DirectoryInfo? d = new(AppContext.BaseDirectory); d is not null; d = d.Parent)
                if (File.Exists(Path.Combine(d.FullName, "Smae.sln")))
                    return Path.Combine(d.FullName, "..", "shared", "golden") is var folder && Directory.Exists(folder) ? folder : null;
            return null;
        }
    }

    /// <summary>The files whose header says that a test can use them.</summary>
    public static IEnumerable<string> Files(Func<SafeTensorsFile, bool> usable)
    {
        foreach (string? folder in (string?[])[Path.Combine(AppContext.BaseDirectory, "Data"), Published])
            if (folder is not null)
                foreach (string path in Directory.GetFiles(folder, "*.safetensors").Order(StringComparer.Ordinal))
                    if (usable(SafeTensors.Open(path))) yield return path;
    }
}
