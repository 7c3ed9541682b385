using SkiaSharp;

namespace Smae.Training;

/// <summary>Writes pictures as PNG files: 8 bits a channel, grey, RGB or RGBA.</summary>
public static class PngWriter
{
    /// <summary>Writes a picture, safely: a reader sees the old file or the whole new one.</summary>
    /// <param name="path">The file; its folder is made if it is not there.</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="pixels">Rows from the top, in a row the pixels, in a pixel its bytes: one for grey, three for RGB, four for RGBA.</param>
    /// <exception cref="ArgumentException">A size is not positive, or the number of bytes is that of no such picture.</exception>
    /// <exception cref="IOException">The file cannot be written; one that was there before is untouched.</exception>
    public static void Save(string path, int width, int height, ReadOnlySpan<byte> pixels)
    {
        byte[] file = Encode(width, height, pixels);
        AtomicFile.Write(path, stream => stream.Write(file));
    }

    internal static void Save(string path, (int Width, int Height, byte[] Rgba) picture) => Save(path, picture.Width, picture.Height, picture.Rgba);

    internal static byte[] Encode(int width, int height, ReadOnlySpan<byte> pixels)
    {
        long count = (long)width * height;
        long channels = width > 0 && height > 0 && pixels.Length % count == 0 ? pixels.Length / count : 0;
        if (channels is not (1 or 3 or 4))
            throw new ArgumentException(
                $"{pixels.Length} bytes are not a picture of {width}x{height}: expected one, three or four bytes for each pixel.", nameof(pixels));
        using SKBitmap bitmap = ToBitmap(width, height, (int)channels, pixels);
        using SKData png = bitmap.Encode(SKEncodedImageFormat.Png, quality: 100);
        return png.ToArray();
    }

    /// <summary>A bitmap, grey or RGBA, of pixels of any number of channels; below three the first is grey.</summary>
    internal static unsafe SKBitmap ToBitmap(int width, int height, int channels, ReadOnlySpan<byte> pixels)
    {
        (SKColorType color, SKAlphaType alpha) = channels < 3 ? (SKColorType.Gray8, SKAlphaType.Opaque)
            : (SKColorType.Rgba8888, channels == 3 ? SKAlphaType.Opaque : SKAlphaType.Unpremul);
        var bitmap = new SKBitmap(new SKImageInfo(width, height, color, alpha));
        var to = new Span<byte>((void*)bitmap.GetPixels(), bitmap.ByteCount);
        int each = bitmap.BytesPerPixel, copied = Math.Min(each, channels);
        to.Fill(255);
        for (int i = 0; i < width * height; i++) pixels.Slice(i * channels, copied).CopyTo(to[(i * each)..]);
        return bitmap;
    }
}

/// <summary>Puts small pictures into one, in rows and columns with white between.</summary>
internal static class PictureGrid
{
    private const int Gap = 4;

    /// <param name="columns">For each column the pictures from the top, each <c>[height, width, channels]</c>; below three channels the first is grey.</param>
    /// <param name="scale">How many pixels a pixel becomes.</param>
    public static (int Width, int Height, byte[] Rgba) Compose(byte[][] columns, int rows, int height, int width, int channels, int scale)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(scale);
        int cellWidth = width * scale + Gap, cellHeight = height * scale + Gap;
        using var grid = new SKBitmap(new SKImageInfo(
            columns.Length * cellWidth + Gap, rows * cellHeight + Gap, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using var canvas = new SKCanvas(grid);
        canvas.Clear(SKColors.White);
        for (int column = 0; column < columns.Length; column++)
        {
            using SKBitmap strip = PngWriter.ToBitmap(width, rows * height, channels, columns[column]);
            for (int row = 0; row < rows; row++)
                canvas.DrawBitmap(
                    strip, SKRect.Create(0, row * height, width, height),
                    SKRect.Create(Gap + column * cellWidth, Gap + row * cellHeight, width * scale, height * scale));
        }
        return (grid.Width, grid.Height, grid.Bytes);
    }
}
