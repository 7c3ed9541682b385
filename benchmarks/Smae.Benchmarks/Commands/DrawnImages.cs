using Microsoft.ML.Data;

namespace Smae.Benchmarks;

/// <summary>A folder of JPEG files that were drawn for a benchmark; gone when it is over.</summary>
internal sealed class DrawnImages : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("smae-bench-");

    /// <param name="count">Files.</param>
    /// <param name="width">Their width in pixels.</param>
    /// <param name="height">Their height in pixels.</param>
    public DrawnImages(int count, int width, int height) => Files = [.. Enumerable.Range(0, count).Select(i => Draw(i, width, height))];

    /// <summary>The folder, for other files as well.</summary>
    public string Folder => _folder.FullName;

    /// <summary>The files' paths.</summary>
    public IReadOnlyList<string> Files { get; }

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>A gradient with noise: it compresses about as well as a photograph.</summary>
    private string Draw(int number, int width, int height)
    {
        var random = new Random(number);
        var pixels = new byte[width * height * 4];
        for (int i = 0; i < pixels.Length; i++)
        {
            int place = i / 4, slope = (i % 4 + number) % 3 == 0 ? place / width * 128 / height : place % width * 128 / width;
            pixels[i] = i % 4 == 3 ? byte.MaxValue : (byte)(slope + random.Next(100));
        }
        string path = Path.Combine(_folder.FullName, $"image{number:00000}.jpg");
        using MLImage image = MLImage.CreateFromPixels(width, height, MLPixelFormat.Rgba32, pixels);
        image.Save(path);
        return path;
    }
}
