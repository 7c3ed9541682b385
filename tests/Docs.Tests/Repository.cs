namespace Docs.Tests;

/// <summary>The repository's pages.</summary>
internal static class Repository
{
    /// <summary>Its folder.</summary>
    public static string Folder { get; } = Find();

    /// <summary>The README and all of <c>docs</c>.</summary>
    public static IReadOnlyList<string> Pages { get; } =
        [Path.Combine(Folder, "README.md"), .. Directory.GetFiles(Path.Combine(Folder, "docs"), "*.md", SearchOption.AllDirectories).Order()];

    private static string Find()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Smae.sln"))) folder = Path.GetDirectoryName(folder);
        return folder ?? throw new DirectoryNotFoundException($"Smae.sln is in no folder above {AppContext.BaseDirectory}.");
    }
}
