using Smae.Training;

namespace Smae.MLNet.Tests;

/// <summary>Images that the tests draw: a coloured disc or square on a gradient, different for every number.</summary>
internal static class TestImages
{
    /// <summary>The two kinds of images, for classification.</summary>
    public static readonly string[] Classes = ["disc", "square"];

    public static MLImage Draw(int number, int width = 20, int height = 16, MLPixelFormat format = MLPixelFormat.Rgba32)
    {
        byte[] pixels = new byte[width * height * 4];
        var random = new Random(number);
        double x0 = width * (0.3 + 0.4 * random.NextDouble()), y0 = height * (0.3 + 0.4 * random.NextDouble()), size = 0.25 * Math.Min(width, height);
        byte[] colour = [(byte)random.Next(256), (byte)random.Next(256), (byte)random.Next(256)];
        bool square = number % 2 == 1;
        for (int y = 0, at = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++, at += 4)
            {
                double dx = Math.Abs(x - x0), dy = Math.Abs(y - y0);
                bool inside = square ? Math.Max(dx, dy) < size : dx * dx + dy * dy < size * size;
                byte[] rgb = inside ? colour : [(byte)(255 * x / width), (byte)(255 * y / height), (byte)(square ? 40 : 200)];
                (pixels[at], pixels[at + 1], pixels[at + 2], pixels[at + 3]) =
                    format == MLPixelFormat.Rgba32 ? (rgb[0], rgb[1], rgb[2], (byte)255) : (rgb[2], rgb[1], rgb[0], (byte)255);
            }
        }
        return MLImage.CreateFromPixels(width, height, format, pixels);
    }

    /// <summary>Writes image number <paramref name="number"/> to a file, of the format that its name tells.</summary>
    public static string Write(string path, int number, int width = 20, int height = 16)
    {
        using var image = Draw(number, width, height);
        image.Save(path);
        return path;
    }

    /// <summary>Writes images 0 to <paramref name="count"/> - 1 as PNG files into class folders.</summary>
    public static void WriteFolder(TempFolder folder, int count, int width = 20, int height = 16)
    {
        for (int i = 0; i < count; i++)
            Write(folder.At(Classes[i % 2], $"image{i:000}.png"), i, width, height);
    }

    /// <summary>The pixels of an image as it is, row by row.</summary>
    public static byte[] Pixels(MLImage image, int channels)
    {
        var preprocessing = new ImagePreprocessing { Height = image.Height, Width = image.Width, Channels = channels };
        var pixels = new byte[preprocessing.ByteCount];
        new ImageDecoders(preprocessing).Rent().Extract(image, pixels);
        return pixels;
    }

    /// <summary>Cuts a file to a part of its length.</summary>
    public static string Truncate(string path, double part = 0.5)
    {
        byte[] bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..(int)(bytes.Length * part)]);
        return path;
    }
}
