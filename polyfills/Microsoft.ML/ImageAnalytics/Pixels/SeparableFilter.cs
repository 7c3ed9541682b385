using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Microsoft.ML.Data;

/// <summary>Weighs along the rows, then along the columns.</summary>
internal static class SeparableFilter
{
    /// <summary>As many weighed source rows are kept as one target row can need.</summary>
    private const int Kept = 4;

    public static void Apply(PixelBuffer source, PixelBuffer target, FilterTaps columns, FilterTaps rows, bool clampToAlpha)
    {
        int width = columns.End - columns.Start;
        if (width <= 0)
            return;
        var weighed = new Vector128<float>[Kept][];
        int[] weighedRow = new int[Kept];
        for (int i = 0; i < Kept; i++)
            (weighed[i], weighedRow[i]) = (new Vector128<float>[width], -1);

        bool swap = source.Format != target.Format;
        ReadOnlySpan<uint> from = MemoryMarshal.Cast<byte, uint>(source.Bytes);
        Span<uint> to = MemoryMarshal.Cast<byte, uint>(target.Bytes);
        for (int y = rows.Start; y < rows.End; y++)
        {
            int tap = (y - rows.Start) * rows.Count;
            for (int i = 0; i < rows.Count; i++)
            {
                // Consecutive rows never share a slot, and rows only go forward.
                int row = rows.Sources[tap + i];
                if (weighedRow[row % Kept] == row)
                    continue;
                WeighRow(from.Slice(row * source.Width, source.Width), columns, weighed[row % Kept]);
                weighedRow[row % Kept] = row;
            }

            ReadOnlySpan<int> sources = rows.Sources.AsSpan(tap, rows.Count);
            ReadOnlySpan<float> weights = rows.Weights.AsSpan(tap, rows.Count);
            Vector128<float>[] upper = weighed[sources[0] % Kept];
            Vector128<float>[] lower = weighed[sources[1] % Kept];
            Span<uint> line = to.Slice((y * target.Width) + columns.Start, width);
            if (weights.Length == 2)
            {
                for (int x = 0; x < line.Length; x++)
                    line[x] = Pack((upper[x] * weights[0]) + (lower[x] * weights[1]), clampToAlpha, swap);
                continue;
            }

            Vector128<float>[] third = weighed[sources[2] % Kept];
            Vector128<float>[] fourth = weighed[sources[3] % Kept];
            for (int x = 0; x < line.Length; x++)
            {
                Vector128<float> sum = (upper[x] * weights[0]) + (lower[x] * weights[1]) + (third[x] * weights[2]) + (fourth[x] * weights[3]);
                line[x] = Pack(sum, clampToAlpha, swap);
            }
        }
    }

    private static void WeighRow(ReadOnlySpan<uint> pixels, FilterTaps columns, Vector128<float>[] weighed)
    {
        for (int x = 0; x < weighed.Length; x++)
        {
            ReadOnlySpan<int> sources = columns.Sources.AsSpan(x * columns.Count, columns.Count);
            ReadOnlySpan<float> weights = columns.Weights.AsSpan(x * columns.Count, columns.Count);
            Vector128<float> sum = Unpack(pixels[sources[0]]) * weights[0];
            for (int i = 1; i < sources.Length; i++)
                sum += Unpack(pixels[sources[i]]) * weights[i];
            weighed[x] = sum;
        }
    }

    private static Vector128<float> Unpack(uint pixel)
    {
        Vector128<byte> bytes = Vector128.CreateScalar(pixel).AsByte();
        return Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(bytes)).AsInt32());
    }

    private static uint Pack(Vector128<float> value, bool clampToAlpha, bool swapRedAndBlue)
    {
        // The cubic filter overshoots: a premultiplied colour must not exceed its alpha.
        value = Vector128.Max(value, Vector128<float>.Zero);
        value = Vector128.Min(value, Vector128.Create(255f));
        if (clampToAlpha)
            value = Vector128.Min(value, Vector128.Create(value.GetElement(3)));
        Vector128<int> rounded = Vector128.ConvertToInt32(value + Vector128.Create(0.5f));
        if (swapRedAndBlue)
            rounded = Vector128.Shuffle(rounded, Vector128.Create(2, 1, 0, 3));
        return Vector128.Narrow(Vector128.Narrow(rounded, rounded), Vector128<short>.Zero).AsUInt32().ToScalar();
    }
}
