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

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
