using System.Runtime.InteropServices;
using Microsoft.ML.Data;

namespace Examples.Tests;

/// <summary>A folder of drawn images, gone after the test. Classes, three at most, differ in colour.</summary>
internal sealed class DrawnFolder : IDisposable
{
    private const int Size = 24;

    public string Path { get; } = Directory.CreateTempSubdirectory("smae-example-").FullName;

    public string this[params string[] parts] => System.IO.Path.Combine([Path, .. parts]);

    /// <summary>Draws images of classes into folders named <c>class0</c> and so on.</summary>
    /// <param name="folder">Where, seen from this folder.</param>
    /// <param name="classes">How many folders.</param>
    /// <param name="perClass">How many images in each.</param>
    public DrawnFolder Draw(string folder, int classes, int perClass)
    {
        var random = new Random(folder.Length + classes);
        for (int c = 0; c < classes; c++)
        {
            string directory = Directory.CreateDirectory(this[folder, $"class{c}"]).FullName;
            for (int i = 0; i < perClass; i++)
            {
                var rgba = new byte[Size * Size * 4];
                for (int p = 0; p < rgba.Length; p++) rgba[p] = (byte)(p % 4 == 3 ? 255 : random.Next(120) + (p % 4 == c ? 100 : 0));
                using var image = MLImage.CreateFromPixels(Size, Size, MLPixelFormat.Rgba32, rgba);
                image.Save(System.IO.Path.Combine(directory, $"{i}.png"));
            }
        }
        return this;
    }

    /// <summary>Adds what nobody can read as an image, and must not wait for: a pipe, links to it and to nothing; and a link to the folder itself.</summary>
    public void AddPipeAndLinks(string folder)
    {
        if (OperatingSystem.IsWindows()) Assert.Inconclusive("Windows has no pipes in folders.");
        Assert.AreEqual(0, MakePipe(this[folder, "pipe.png"], 0x1B6));
        File.CreateSymbolicLink(this[folder, "to pipe.png"], "pipe.png");
        File.CreateSymbolicLink(this[folder, "to nothing.png"], "nothing");
        Directory.CreateSymbolicLink(this[folder, "itself"], ".");
    }

    [DllImport("libc", EntryPoint = "mkfifo", CharSet = CharSet.Ansi)]
    private static extern int MakePipe(string path, uint mode);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
