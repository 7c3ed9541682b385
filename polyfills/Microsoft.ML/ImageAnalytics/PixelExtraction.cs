using Microsoft.ML.Data;

namespace Microsoft.ML.Transforms.Image;

/// <summary>Copies pixels into vectors.</summary>
internal static class PixelExtraction
{
    public delegate void Extractor<T>(MLImage image, PixelLayout layout, Span<T> values);

    public static void ToBytes(MLImage image, PixelLayout layout, Span<byte> values)
    {
        ReadOnlySpan<byte> pixels = image.Pixels;
        foreach ((int from, int to, int step) in Runs(image, layout))
        {
            for (int i = from, j = to; i < pixels.Length; i += 4, j += step)
                values[j] = pixels[i];
        }
    }

    public static void ToSingles(MLImage image, PixelLayout layout, Span<float> values)
    {
        // Two hundred and fifty-six values are all that can come of a byte.
        Span<float> table = stackalloc float[256];
        for (int i = 0; i < table.Length; i++)
            table[i] = layout.NeedsScale ? (i - layout.Offset) * layout.Scale : i;
        ReadOnlySpan<byte> pixels = image.Pixels;
        foreach ((int from, int to, int step) in Runs(image, layout))
        {
            for (int i = from, j = to; i < pixels.Length; i += 4, j += step)
                values[j] = table[pixels[i]];
        }
    }

    /// <summary>For each colour that is wanted: its byte in a pixel, where its values begin, how far they lie apart.</summary>
    private static (int From, int To, int Step)[] Runs(MLImage image, PixelLayout layout)
    {
        (int alpha, int red, int green, int blue) = layout.Places();
        bool blueFirst = image.PixelFormat == MLPixelFormat.Bgra32;
        (int From, int Place)[] colors = [(3, alpha), (blueFirst ? 2 : 0, red), (1, green), (blueFirst ? 0 : 2, blue)];
        int count = image.Height * image.Width;
        return
        [
            .. from color in colors
               where color.Place >= 0
               select layout.Interleaved ? (color.From, color.Place, layout.Planes) : (color.From, color.Place * count, 1),
        ];
    }
}
