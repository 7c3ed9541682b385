using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Microsoft.ML.Data;

/// <summary>A picture halved again and again, in bytes, as Skia keeps it.</summary>
/// <remarks>An even size takes two pixels for one; an odd size three, weighed 1, 2, 1, neighbours sharing one; a size of one stays.</remarks>
internal static class Mipmap
{
    public static PixelBuffer Build(PixelBuffer source, int level)
    {
        PixelBuffer picture = source;
        for (int i = 0; i < level; i++)
        {
            PixelBuffer half = Halve(picture);
            if (picture != source)
                picture.Dispose();
            picture = half;
        }

        return picture;
    }

    private static PixelBuffer Halve(PixelBuffer source)
    {
        PixelBuffer half = PixelBuffer.Create(Math.Max(1, source.Width / 2), Math.Max(1, source.Height / 2), source.Format, source.IsOpaque);
        ReadOnlySpan<uint> from = MemoryMarshal.Cast<byte, uint>(source.Bytes);
        Span<uint> to = MemoryMarshal.Cast<byte, uint>(half.Bytes);
        int columnTaps = Taps(source.Width);
        int rowTaps = Taps(source.Height);
        for (int y = 0; y < half.Height; y++)
        {
            ReadOnlySpan<uint> rows = from[(y * 2 * source.Width)..];
            Span<uint> line = to.Slice(y * half.Width, half.Width);
            for (int x = 0; x < line.Length; x++)
            {
                Vector128<ushort> sum = Column(rows, x * 2, source.Width, rowTaps);
                if (columnTaps > 1)
                    sum += Column(rows, (x * 2) + 1, source.Width, rowTaps) << (columnTaps - 2);
                if (columnTaps > 2)
                    sum += Column(rows, (x * 2) + 2, source.Width, rowTaps);
                sum >>>= columnTaps - 1 + (rowTaps - 1);
                line[x] = Vector128.Narrow(sum, sum).AsUInt32().ToScalar();
            }
        }

        return half;
    }

    /// <summary>The weighed sum, by channel, of the pixels one above the other.</summary>
    private static Vector128<ushort> Column(ReadOnlySpan<uint> rows, int x, int width, int taps)
    {
        Vector128<ushort> sum = Widen(rows[x]);
        if (taps > 1)
            sum += Widen(rows[x + width]) << (taps - 2);
        if (taps > 2)
            sum += Widen(rows[x + width + width]);
        return sum;
    }

    private static Vector128<ushort> Widen(uint pixel) => Vector128.WidenLower(Vector128.CreateScalar(pixel).AsByte());

    private static int Taps(int size) => size == 1 ? 1 : 2 + (size & 1);
}
