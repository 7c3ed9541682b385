using System.Runtime.InteropServices;

namespace Microsoft.ML.Data;

/// <summary>Resizing without a filter: each pixel is one of the source.</summary>
internal static class NearestSampling
{
    public static PixelBuffer Resize(PixelBuffer source, int width, int height)
    {
        if (source.Width == width && source.Height == height)
            return source.Clone();
        PixelBuffer target = PixelBuffer.Create(width, height, source.Format, source.IsOpaque);
        ReadOnlySpan<uint> from = MemoryMarshal.Cast<byte, uint>(source.Bytes);
        Span<uint> to = MemoryMarshal.Cast<byte, uint>(target.Bytes);
        int[] columns = SourceIndices(source.Width, width);
        int[] rows = SourceIndices(source.Height, height);
        for (int y = 0; y < height; y++)
        {
            ReadOnlySpan<uint> fromRow = from.Slice(rows[y] * source.Width, source.Width);
            Span<uint> toRow = to.Slice(y * width, width);
            for (int x = 0; x < width; x++)
                toRow[x] = fromRow[columns[x]];
        }

        return target;
    }

    /// <summary>The pixel under each centre, in steps of 2^-32; a centre on the edge between two takes the first, as Skia does.</summary>
    private static int[] SourceIndices(int sourceSize, int targetSize)
    {
        float scale = 1f / ((float)targetSize / sourceSize);
        long step = (long)((double)scale * (1L << 32));
        long position = (long)((double)(0.5f * scale) * (1L << 32)) - (1L << 16);
        int[] indices = new int[targetSize];
        for (int i = 0; i < targetSize; i++, position += step)
            indices[i] = (int)Math.Clamp(position >> 32, 0, sourceSize - 1);
        return indices;
    }
}
