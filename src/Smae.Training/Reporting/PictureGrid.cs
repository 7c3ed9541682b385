namespace Smae.Training;

/// <summary>Puts small pictures into one, in rows and columns with white between.</summary>
internal static class PictureGrid
{
    private const int Gap = 4;

    /// <param name="columns">For each column the pictures from the top, each <c>[height, width, channels]</c>; below three channels the first is grey.</param>
    /// <param name="rows">Pictures in a column.</param>
    /// <param name="height">Height of a picture.</param>
    /// <param name="width">Width of a picture.</param>
    /// <param name="channels">Channels of a picture.</param>
    /// <param name="scale">How many pixels a pixel becomes.</param>
    public static (int Width, int Height, byte[] Rgba) Compose(byte[][] columns, int rows, int height, int width, int channels, int scale)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(scale);
        int cellWidth = width * scale + Gap, cellHeight = height * scale + Gap;
        int totalWidth = columns.Length * cellWidth + Gap, totalHeight = rows * cellHeight + Gap;
        var rgba = new byte[totalWidth * totalHeight * 4];
        Array.Fill(rgba, (byte)255);
        for (int column = 0; column < columns.Length; column++)
        for (int row = 0; row < rows; row++)
        for (int y = 0; y < height * scale; y++)
        for (int x = 0; x < width * scale; x++)
        {
            ReadOnlySpan<byte> from = columns[column].AsSpan(((row * height + y / scale) * width + x / scale) * channels, channels);
            Span<byte> to = rgba.AsSpan(((row * cellHeight + Gap + y) * totalWidth + column * cellWidth + Gap + x) * 4, 3);
            if (channels >= 3) from[..3].CopyTo(to);
            else to.Fill(from[0]);
        }
        return (totalWidth, totalHeight, rgba);
    }
}
