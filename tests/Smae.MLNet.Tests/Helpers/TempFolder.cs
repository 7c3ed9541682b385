namespace Smae.MLNet.Tests;

/// <summary>A folder that is deleted with the object.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("smae-mlnet-").FullName;

    /// <summary>The path of a file or folder in it; the folders on the way are made.</summary>
    public string At(params string[] parts)
    {
        string path = System.IO.Path.Combine([Path, .. parts]);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        return path;
    }

    public string Write(string text, params string[] parts)
    {
        string path = At(parts);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>What an action leaves where temporary files go: in a folder of its own, since other test programs write to the system's meanwhile.</summary>
    public static string[] LeftBehind(Action action)
    {
        string name = OperatingSystem.IsWindows() ? "TMP" : "TMPDIR";
        string? before = Environment.GetEnvironmentVariable(name);
        using var folder = new TempFolder();
        Environment.SetEnvironmentVariable(name, folder.Path);
        try
        {
            action();
        }
        finally
        {
            Environment.SetEnvironmentVariable(name, before);
        }
        return Directory.GetFileSystemEntries(folder.Path, "smae-save-*");
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
