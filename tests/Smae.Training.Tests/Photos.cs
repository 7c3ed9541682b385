using SkiaSharp;

namespace Smae.Training.Tests;

/// <summary>Real images: squares cut side by side out of the photographs of <c>tests/photos</c>.</summary>
internal static class Photos
{
    public static ImageStore Squares(int side)
    {
        var store = new ImageStore(side, side);
        foreach (string path in Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "photos"), "*.jpg").Order(StringComparer.Ordinal))
        {
            using SKBitmap photo = SKBitmap.Decode(path);
            for (int y = 0; y + side <= photo.Height; y += side)
            for (int x = 0; x + side <= photo.Width; x += side)
            {
                Span<byte> pixels = store.Add();
                for (int i = 0; i < side * side; i++)
                {
                    SKColor color = photo.GetPixel(x + i % side, y + i / side);
                    (pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]) = (color.Red, color.Green, color.Blue);
                }
            }
        }
        return store;
    }
}
