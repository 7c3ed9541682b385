namespace Microsoft.ML.Data;

/// <summary>Changes of colour.</summary>
internal static class PixelConversions
{
    /// <summary>Blue, green and red of every pixel; the division by alpha that was multiplied in is undone.</summary>
    public static byte[] ToBgr(PixelBuffer pixels)
    {
        ReadOnlySpan<byte> from = pixels.Bytes;
        byte[] to = new byte[from.Length / 4 * 3];
        (int blue, int red) = pixels.Format == MLPixelFormat.Bgra32 ? (0, 2) : (2, 0);
        for (int i = 0, j = 0; i < from.Length; i += 4, j += 3)
        {
            int alpha = pixels.IsOpaque ? 255 : from[i + 3];
            to[j] = Unpremultiply(from[i + blue], alpha);
            to[j + 1] = Unpremultiply(from[i + 1], alpha);
            to[j + 2] = Unpremultiply(from[i + red], alpha);
        }

        return to;
    }

    /// <summary>A picture with the same grey in all three colours.</summary>
    public static PixelBuffer ToGrayscale(PixelBuffer pixels)
    {
        PixelBuffer gray = PixelBuffer.Create(pixels.Width, pixels.Height, PixelBuffer.PlatformFormat, isOpaque: true);
        ReadOnlySpan<byte> from = pixels.Bytes;
        Span<byte> to = gray.Bytes;
        (int blue, int red) = pixels.Format == MLPixelFormat.Bgra32 ? (0, 2) : (2, 0);
        for (int i = 0; i < from.Length; i += 4)
        {
            // The weights are a linear map, so that it makes no difference whether alpha is multiplied in.
            float value = (0.3f * from[i + red]) + (0.59f * from[i + 1]) + (0.11f * from[i + blue]);
            to[i] = to[i + 1] = to[i + 2] = (byte)Math.Min(value + 0.5f, 255f);
            to[i + 3] = pixels.IsOpaque ? (byte)255 : from[i + 3];
        }

        return gray;
    }

    private static byte Unpremultiply(int color, int alpha) => alpha switch
    {
        255 => (byte)color,
        0 => 0,
        _ => (byte)Math.Min(255, ((color * 255) + (alpha / 2)) / alpha),
    };
}
