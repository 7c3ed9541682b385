using System.Numerics;
using Microsoft.ML.Transforms.Image;
using SkiaSharp;

namespace Smae.MLNet;

/// <summary>
/// Brings bitmaps to the size, channels and ground colour of a preprocessing. Crop and Pad draw as ML.NET's ResizeImages does, to the pixel, so that a saved
/// chain of its transformers sees what training saw; Stretch draws in the same way to the whole size, where ResizeImages picks single pixels.
/// </summary>
internal sealed class ImageFitter(ImagePreprocessing preprocessing)
{
    private const int MostHalvings = 3;   // to an eighth, as libjpeg can

    private readonly int _width = preprocessing.Width, _height = preprocessing.Height, _channels = preprocessing.Channels;
    private readonly int[] _ground = [.. preprocessing.Background.Select(v => (int)MathF.Round(255 * v))];

    /// <summary>What ML.NET calls a way of resizing; null where it has none that gives our pixels.</summary>
    public static ImageResizingEstimator.ResizingKind? KindOf(ResizeMode mode) => mode switch
    {
        ResizeMode.Crop => ImageResizingEstimator.ResizingKind.IsoCrop,
        ResizeMode.Pad => ImageResizingEstimator.ResizingKind.IsoPad,
        _ => null,
    };

    /// <summary>
    /// How often an image can be halved by its decoder, at most three times. Where Skia makes an image smaller it draws from the image halved as often as leaves
    /// it as large as the target, so what a decoder has halved by itself is sampled at the same places.
    /// </summary>
    /// <param name="size">The whole image's, upright.</param>
    public int HalvingsOf(SKSizeI size)
    {
        SKRectI target = Target(size.Width, size.Height);
        int ratio = Math.Min(size.Width / Math.Max(1, target.Width), size.Height / Math.Max(1, target.Height));
        return Math.Min(MostHalvings, BitOperations.Log2((uint)ratio));
    }

    /// <summary>The part of a halved image that is drawn: in the middle, as Skia's own halving of an odd number of pixels takes its pixels in pairs.</summary>
    /// <param name="width">The whole image's.</param>
    public static SKRect PartOf(int width, int height, int halvings)
    {
        (float scale, int across, int down) = (1f / (1 << halvings), width >> halvings, height >> halvings);
        return SKRect.Create((width * scale - across) / 2, (height * scale - down) / 2, across, down);
    }

    /// <summary>Why an image of this size cannot be fitted; null if it can. ML.NET's ResizeImages draws nothing of it, and its saved chain then gives NaN.</summary>
    public string? Problem(SKSizeI size) => Target(size.Width, size.Height) is { Width: > 0, Height: > 0 } ? null
        : $"too narrow: of {size.Width}x{size.Height} pixels nothing is left at {_width}x{_height} with ResizeMode.{preprocessing.Resize}";

    /// <summary>Writes the pixels of <paramref name="image"/> row by row: grey (1 channel), red, green, blue (3) or the same and alpha (4).</summary>
    public void Fit(SKBitmap image, Span<byte> pixels) => Fit(image, image.Info.Size, image.Info.Rect, pixels);

    /// <inheritdoc cref="Fit(SKBitmap, Span{byte})"/>
    /// <param name="size">The size that the whole image has, where this one is halved.</param>
    /// <param name="part">The part of this one that is the whole.</param>
    public void Fit(SKBitmap image, SKSizeI size, SKRect part, Span<byte> pixels)
    {
        if ((size.Width, size.Height) == (_width, _height))
        {
            Copy(image, image.AlphaType, new SKRectI(0, 0, _width, _height), pixels);
            return;
        }
        SKRectI target = Target(size.Width, size.Height);
        using var resized = new SKBitmap(_width, _height, isOpaque: true);
        using var canvas = new SKCanvas(resized);
        using var paint = new SKPaint { FilterQuality = SKFilterQuality.High };
        canvas.DrawBitmap(image, part, target, paint);
        Copy(resized, image.AlphaType, target, pixels);
    }

    /// <summary>Where an image is drawn: in single precision and whole pixels, as ResizeImages reckons.</summary>
    private SKRectI Target(int width, int height)
    {
        if (preprocessing.Resize == ResizeMode.Stretch) return new SKRectI(0, 0, _width, _height);
        float across = (float)_width / width, down = (float)_height / height;
        float scale = preprocessing.Resize == ResizeMode.Crop ? Math.Max(across, down) : Math.Min(across, down);
        int left = (int)((_width - width * scale) / 2), top = (int)((_height - height * scale) / 2);
        return new SKRectI(left, top, left + (int)(width * scale), top + (int)(height * scale));
    }

    /// <param name="alpha">What the alpha of the image means; what is drawn of it keeps its alpha.</param>
    /// <param name="drawn">Where it was drawn: the rest is black.</param>
    private void Copy(SKBitmap image, SKAlphaType alpha, SKRectI drawn, Span<byte> destination)
    {
        ReadOnlySpan<byte> source = image.GetPixelSpan();
        int red = image.ColorType switch
        {
            SKColorType.Bgra8888 => 2,
            SKColorType.Rgba8888 => 0,
            _ => throw new NotSupportedException($"Pixel format {image.ColorType} is not supported."),
        };
        bool onGround = _channels < 4 && alpha != SKAlphaType.Opaque && (preprocessing.Resize != ResizeMode.Crop || IsTransparent(source));
        // By rounding, what is cropped may end a pixel before the edge. The graph of a saved chain cannot tell that from transparency.
        if (preprocessing.Resize == ResizeMode.Crop) drawn = new SKRectI(0, 0, _width, _height);
        for (int i = 0, to = 0; i < _width * _height; i++, to += _channels)
        {
            var pixel = source.Slice(4 * i, 4);
            (byte r, byte g, byte b, byte a) = (pixel[red], pixel[1], pixel[2 - red], pixel[3]);
            if (onGround && a < byte.MaxValue && drawn.Contains(i % _width, i / _width)) (r, g, b) = (Over(r, a, 0), Over(g, a, 1), Over(b, a, 2));
            if (_channels == 1)
            {
                // ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B in 16-bit fixed point, rounded: the weights add up to 65536.
                destination[to] = (byte)((19595 * r + 38470 * g + 7471 * b + 32768) >> 16);
                continue;
            }
            (destination[to], destination[to + 1], destination[to + 2]) = (r, g, b);
            if (_channels == 4) destination[to + 3] = a;
        }
    }

    /// <summary>Whether any pixel lets the ground through, the last row and column left out: see <see cref="Copy"/>.</summary>
    private bool IsTransparent(ReadOnlySpan<byte> source)
    {
        for (int y = 0; y < _height - 1; y++)
        for (int x = 0; x < _width - 1; x++)
            if (source[4 * (y * _width + x) + 3] < byte.MaxValue) return true;
        return false;
    }

    /// <summary>A colour that is multiplied by its alpha already, over the ground. The graph of a saved chain does the same.</summary>
    private byte Over(byte color, byte alpha, int channel) => (byte)Math.Min(byte.MaxValue, color + ((byte.MaxValue - alpha) * _ground[channel] + 127) / 255);
}
