using Microsoft.ML.Data;
using SkiaSharp;
using Smae.Export;
using Smae.Training;

namespace Docs.Tests;

/// <summary>
/// A folder with what the pages talk about: <c>photos</c>, class folders under <c>train</c> and <c>val</c>, and <c>encoder.safetensors</c>, a small
/// encoder, and its tokens as <c>teacher.onnx</c>. It is the process's current folder until it is disposed.
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
        DrawHouse();
        var shape = VisionTransformerConfig.VitTiny16.ForImages(16, patchSize: 8) with { EmbedDim = 24, Depth = 2, NumHeads = 2 };
        using (var encoder = ImageEncoder.Create(shape))
        {
            encoder.Save(Path.Combine(_path, "encoder.safetensors"));
            encoder.ExportOnnx(Path.Combine(_path, "teacher.onnx"), new OnnxExportOptions { Output = OnnxOutput.Tokens });
        }
        Environment.CurrentDirectory = _path;
    }

    /// <summary>A house with a tree, 96x64, on nothing; and on a blue sky, as a camera stores it that was held upright.</summary>
    private void DrawHouse()
    {
        using SKBitmap plain = House(SKColors.Transparent), sky = House(new SKColor(120, 180, 240)), lying = new(sky.Height, sky.Width, isOpaque: true);
        using (SKData png = plain.Encode(SKEncodedImageFormat.Png, 100)) File.WriteAllBytes(Path.Combine(_path, "drawing.png"), png.ToArray());
        for (int y = 0; y < lying.Height; y++)
        for (int x = 0; x < lying.Width; x++) lying.SetPixel(x, y, sky.GetPixel(sky.Width - 1 - y, x));
        using SKData jpeg = lying.Encode(SKEncodedImageFormat.Jpeg, 100);
        byte[] pixels = jpeg.ToArray(), exif = [.. "Exif\0\0MM"u8, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];
        File.WriteAllBytes(Path.Combine(_path, "sideways.jpg"), [.. pixels[..2], 0xFF, 0xE1, 0, (byte)(exif.Length + 2), .. exif, .. pixels[2..]]);
    }

    private static SKBitmap House(SKColor ground)
    {
        var bitmap = new SKBitmap(96, 64);
        for (int y = 0; y < 64; y++)
        for (int x = 0; x < 96; x++)
            bitmap.SetPixel(x, y, (x, y) switch
            {
                ( >= 42 and < 50, >= 42 and < 60) => new SKColor(90, 60, 40),                                          // door
                ( >= 30 and < 62, >= 30 and < 60) => new SKColor(230, 220, 190),                                       // walls
                _ when y is >= 10 and < 30 && Math.Abs(x - 45.5) < (y - 8) * 0.95 => new SKColor(190, 60, 40),         // roof
                _ when (x - 80) * (x - 80) + (y - 32) * (y - 32) < 120 => new SKColor(60, 140, 60),                    // tree
                ( >= 78 and < 82, >= 40 and < 60) => new SKColor(110, 80, 50),
                _ when (x - 12) * (x - 12) + (y - 12) * (y - 12) < 60 => new SKColor(255, 200, 0),                     // sun
                ( >= 4 and < 92, >= 60) => new SKColor(80, 120, 60),
                _ => ground,
            });
        return bitmap;
    }

    public void Dispose()
    {
        Environment.CurrentDirectory = _before;
        Directory.Delete(_path, recursive: true);
    }
}
