namespace Smae.Training.Tests;

/// <summary>Files with weights, inputs and outputs of the published PyTorch code. <c>SMAE_GOLDEN</c> names their folder.</summary>
internal static class Golden
{
    public static string? Folder
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

    /// <summary>The golden files whose header a test can use; without any the test is reported as skipped.</summary>
    public static IReadOnlyList<SafeTensorsFile> Files(Func<SafeTensorsFile, bool> usable)
    {
        SafeTensorsFile[] files = Folder is { } folder
            ? [.. Directory.GetFiles(folder, "*.safetensors").Order(StringComparer.Ordinal).Select(SafeTensors.Open).Where(usable)] : [];
        if (files.Length == 0) Assert.Inconclusive("No golden files: set SMAE_GOLDEN to their folder.");
        return files;
    }
}
