using Microsoft.ML.Data;
using Smae.Training;

namespace Docs.Tests;

/// <summary>
/// A folder with what the pages talk about: <c>photos</c>, class folders under <c>train</c> and <c>val</c>, and <c>encoder.safetensors</c>, a small
/// encoder. It is the process's current folder until it is disposed.
/// </summary>
internal sealed class PageFolder : IDisposable
{
    private readonly string _before = Environment.CurrentDirectory;
    private readonly string _path = Directory.CreateTempSubdirectory("smae-docs-").FullName;

    public PageFolder()
    {
        var random = new Random(1);
        foreach ((string split, int count) in ((string, int)[])[("train", 5), ("val", 2)])
        for (int c = 0; c < 2; c++)
        {
            string folder = Directory.CreateDirectory(Path.Combine(_path, "photos", split, $"class{c}")).FullName;
            for (int i = 0; i < count; i++)
            {
                var rgba = new byte[40 * 30 * 4];
                for (int p = 0; p < rgba.Length; p++) rgba[p] = (byte)(p % 4 == 3 ? 255 : random.Next(120) + (p % 4 == c ? 100 : 0));
                using var image = MLImage.CreateFromPixels(40, 30, MLPixelFormat.Rgba32, rgba);
                image.Save(Path.Combine(folder, $"{i}.png"));
            }
        }
        var shape = VisionTransformerConfig.VitTiny16.ForImages(16, patchSize: 8) with { EmbedDim = 24, Depth = 2, NumHeads = 2 };
        using (var encoder = ImageEncoder.Create(shape)) encoder.Save(Path.Combine(_path, "encoder.safetensors"));
        Environment.CurrentDirectory = _path;
    }

    public void Dispose()
    {
        Environment.CurrentDirectory = _before;
        Directory.Delete(_path, recursive: true);
    }
}
