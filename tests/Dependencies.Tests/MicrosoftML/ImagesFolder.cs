namespace Dependencies.Tests.MicrosoftML;

/// <summary>A folder for one test.</summary>
internal sealed class ImagesFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("smae-images-").FullName;

    public string At(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a file and gives its path.</summary>
    public string Write(string name, byte[] content)
    {
        File.WriteAllBytes(At(name), content);
        return At(name);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
