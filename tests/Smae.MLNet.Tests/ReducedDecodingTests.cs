using System.Runtime.InteropServices;
using SkiaSharp;
using Smae.Training;

namespace Smae.MLNet.Tests;

/// <summary>Large JPEGs are decoded at a half, a quarter or an eighth of their size: pixels, orientation, shapes, grey and damage are those of the whole.</summary>
[TestClass]
public sealed class ReducedDecodingTests
{
    [TestMethod]
    [DataRow(500, 375, 64, 64, ResizeMode.Crop, 2)]
    [DataRow(500, 375, 64, 64, ResizeMode.Pad, 2)]
    [DataRow(500, 375, 64, 64, ResizeMode.Stretch, 2)]
    [DataRow(500, 375, 224, 224, ResizeMode.Crop, 0)]
    [DataRow(375, 500, 180, 180, ResizeMode.Crop, 1)]
    [DataRow(128, 128, 64, 64, ResizeMode.Crop, 1)]
    [DataRow(127, 127, 64, 64, ResizeMode.Crop, 0)]
    [DataRow(4000, 3000, 64, 64, ResizeMode.Crop, 3)]
    [DataRow(3000, 40, 64, 64, ResizeMode.Stretch, 0)]
    [DataRow(3000, 1, 16, 16, ResizeMode.Pad, 0)]
    [DataRow(1, 1, 16, 16, ResizeMode.Crop, 0)]
    public void An_image_is_halved_as_long_as_it_stays_as_large_as_it_is_drawn(int width, int height, int toWidth, int toHeight, ResizeMode resize, int halvings) =>
        Assert.AreEqual(halvings, new ImageFitter(new ImagePreprocessing { Height = toHeight, Width = toWidth, Resize = resize }).HalvingsOf(new SKSizeI(width, height)));

    [TestMethod]
    [DataRow(500, 375, 64, 64)]
    [DataRow(375, 500, 64, 64)]
    [DataRow(501, 377, 64, 64)]
    [DataRow(487, 363, 100, 60)]
    [DataRow(601, 903, 70, 70)]
    [DataRow(64, 48, 24, 24)]
    [DataRow(650, 480, 150, 150)]
    public void Pixels_are_those_of_the_whole_image_however_it_lies_and_is_fitted(int width, int height, int toWidth, int toHeight)
    {
        byte[] jpeg = Drawings.Encode(width, height, Photograph(width, height), SKEncodedImageFormat.Jpeg);
        foreach (ResizeMode resize in Enum.GetValues<ResizeMode>())
        for (byte orientation = 1; orientation <= 8; orientation++)
        {
            var preprocessing = new ImagePreprocessing { Height = toHeight, Width = toWidth, Resize = resize };
            byte[] found = Decode(Drawings.WithOrientation(jpeg, orientation), preprocessing), whole = Whole(jpeg, orientation, preprocessing);
            Assert.IsLessThan(2, MeanDifference(found, whole), $"{resize}, orientation {orientation}");
        }
    }

    [TestMethod]
    public void A_gradient_stays_where_it_is()
    {
        // Some 3 levels a pixel along x, upwards in red and downwards in blue: what moves an image tells the two apart, what darkens it does not.
        foreach (int width in (int[])[500, 501, 503, 507, 511, 400, 600])
        {
            byte[] jpeg = Drawings.Encode(width, 375, (x, _) => new SKColor((byte)(255 * x / width), 128, (byte)(255 - 255 * x / width)), SKEncodedImageFormat.Jpeg);
            var preprocessing = new ImagePreprocessing { Height = 64, Width = 64 };
            for (byte orientation = 1; orientation <= 4; orientation++)
            {
                byte[] found = Decode(Drawings.WithOrientation(jpeg, orientation), preprocessing), whole = Whole(jpeg, orientation, preprocessing);
                double shift = Enumerable.Range(0, found.Length / 3).Average(i => found[3 * i] - whole[3 * i] - found[3 * i + 2] + whole[3 * i + 2]) / 2.0;
                Assert.AreEqual(0, shift, 0.2, $"{width}, orientation {orientation}");
            }
        }
    }

    [TestMethod]
    public void A_grey_JPEG_and_grey_pixels_are_those_of_the_whole()
    {
        using var grey = new SKBitmap(new SKImageInfo(500, 375, SKColorType.Gray8, SKAlphaType.Opaque));
        Func<int, int, SKColor> photograph = Photograph(500, 375);
        for (int y = 0; y < 375; y++)
        for (int x = 0; x < 500; x++) grey.SetPixel(x, y, new SKColor(photograph(x, y).Green, photograph(x, y).Green, photograph(x, y).Green));
        using SKData data = grey.Encode(SKEncodedImageFormat.Jpeg, 90);
        foreach (int channels in (int[])[1, 3, 4])
        {
            var preprocessing = new ImagePreprocessing { Height = 64, Width = 64, Channels = channels };
            byte[] found = Decode(data.ToArray(), preprocessing);
            Assert.IsLessThan(2, MeanDifference(found, Whole(data.ToArray(), 1, preprocessing)), $"{channels} channels");
            if (channels == 4) Assert.IsTrue(found.Where((_, i) => i % 4 == 3).All(alpha => alpha == 255));
        }
    }

    [TestMethod]
    public void What_is_no_JPEG_is_decoded_whole_to_the_same_pixels()
    {
        var preprocessing = new ImagePreprocessing { Height = 32, Width = 32 };
        foreach (SKEncodedImageFormat format in (SKEncodedImageFormat[])[SKEncodedImageFormat.Png, SKEncodedImageFormat.Webp])
        {
            byte[] file = Drawings.Encode(250, 187, Photograph(250, 187), format);
            CollectionAssert.AreEqual(Whole(file, 1, preprocessing), Decode(file, preprocessing), $"{format}");
        }
    }

    [TestMethod]
    public void Every_part_of_a_large_JPEG_is_broken()
    {
        byte[] file = Drawings.Encode(500, 375, Photograph(500, 375), SKEncodedImageFormat.Jpeg);
        var preprocessing = new ImagePreprocessing { Height = 32, Width = 32 };
        byte[] pixels = new byte[preprocessing.ByteCount];
        ImageDecoder decoder = new ImageDecoders(preprocessing).Rent();
        Assert.IsNull(decoder.DecodeBytes((ReadOnlySpan<byte>)file, "image", pixels));
        for (int length = 700; length < file.Length; length += 1 + Math.Min(2000, (file.Length - length) / 4))
            StringAssert.Contains(decoder.DecodeBytes(file.AsSpan(0, length), "image", pixels)?.Message, "truncated", $"{length} of {file.Length}");
        Assert.IsNull(decoder.DecodeBytes((ReadOnlySpan<byte>)[.. file, 1, 2, 3], "image", pixels));
    }

    /// <summary>A gradient with waves of several lengths and an edge: nothing in it is the same when it is turned.</summary>
    private static Func<int, int, SKColor> Photograph(int width, int height) => (x, y) =>
    {
        double u = (double)x / width, v = (double)y / height;
        double wave = 12 * Math.Sin(19 * u + 4 * v) + 9 * Math.Sin(41 * v - 7 * u) + 6 * Math.Sin(97 * u + 61 * v);
        byte Level(double value) => (byte)Math.Clamp(value + wave + (u + 2 * v > 2.2 ? 40 : 0), 0, 255);
        return new SKColor(Level(40 + 150 * u), Level(40 + 150 * v), Level(190 - 70 * u - 70 * v));
    };

    /// <summary>The same file decoded whole, as ML.NET does, turned by hand, and fitted.</summary>
    private static byte[] Whole(byte[] file, int orientation, ImagePreprocessing preprocessing)
    {
        using var image = MLImage.CreateFromStream(new MemoryStream(file));
        (int w, int h) = (image.Width, image.Height);
        (int width, int height) = orientation > 4 ? (h, w) : (w, h);
        var stored = image.Pixels.ToArray();
        var turned = new byte[stored.Length];
        for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
        {
            (int fromX, int fromY) = orientation switch
            {
                1 => (x, y), 2 => (w - 1 - x, y), 3 => (w - 1 - x, h - 1 - y), 4 => (x, h - 1 - y),
                5 => (y, x), 6 => (y, h - 1 - x), 7 => (w - 1 - y, h - 1 - x), _ => (w - 1 - y, x),
            };
            stored.AsSpan(4 * (fromY * w + fromX), 4).CopyTo(turned.AsSpan(4 * (y * width + x)));
        }
        using var upright = new SKBitmap(new SKImageInfo(width, height,
            image.PixelFormat == MLPixelFormat.Bgra32 ? SKColorType.Bgra8888 : SKColorType.Rgba8888, SKAlphaType.Opaque));
        Marshal.Copy(turned, 0, upright.GetPixels(), turned.Length);
        var pixels = new byte[preprocessing.ByteCount];
        new ImageFitter(preprocessing).Fit(upright, pixels);
        return pixels;
    }

    private static byte[] Decode(byte[] file, ImagePreprocessing preprocessing)
    {
        var pixels = new byte[preprocessing.ByteCount];
        Assert.IsNull(new ImageDecoders(preprocessing).Rent().DecodeBytes((ReadOnlySpan<byte>)file, "image", pixels));
        return pixels;
    }

    private static double MeanDifference(byte[] one, byte[] other) => one.Zip(other, (a, b) => Math.Abs(a - b)).Average();
}
