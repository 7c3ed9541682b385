using Microsoft.ML.Data;

namespace Smae.MLNet;

/// <summary>Copies pixels from the order an <see cref="MLImage"/> stores them in to that of an <see cref="Training.ImageStore"/>.</summary>
internal static class PixelOrder
{
    /// <summary>
    /// Writes the pixels of <paramref name="image"/> row by row: grey (1 channel), red, green, blue (3) or the same and alpha (4).
    /// </summary>
    public static void Copy(MLImage image, int channels, Span<byte> destination)
    {
        var source = image.Pixels;
        var (red, blue) = image.PixelFormat switch
        {
            MLPixelFormat.Bgra32 => (2, 0),
            MLPixelFormat.Rgba32 => (0, 2),
            _ => throw new NotSupportedException($"Pixel format {image.PixelFormat} is not supported."),
        };
        int count = image.Width * image.Height;
        destination = destination[..(count * channels)];
        switch (channels)
        {
            case 1:
                for (int i = 0; i < count; i++)
                {
                    var pixel = source.Slice(4 * i, 4);
                    destination[i] = Luma(pixel[red], pixel[1], pixel[blue]);
                }
                break;
            case 3:
                for (int i = 0, to = 0; i < count; i++, to += 3)
                {
                    var pixel = source.Slice(4 * i, 4);
                    destination[to] = pixel[red];
                    destination[to + 1] = pixel[1];
                    destination[to + 2] = pixel[blue];
                }
                break;
            case 4:
                for (int i = 0, to = 0; i < count; i++, to += 4)
                {
                    var pixel = source.Slice(4 * i, 4);
                    destination[to] = pixel[red];
                    destination[to + 1] = pixel[1];
                    destination[to + 2] = pixel[blue];
                    destination[to + 3] = pixel[3];
                }
                break;
            default:
                throw new NotSupportedException($"Images have 1, 3 or 4 channels, not {channels}.");
        }
    }

    // ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B in 16-bit fixed point, rounded: the weights add up to 65536.
    private static byte Luma(byte red, byte green, byte blue) => (byte)((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16);
}
