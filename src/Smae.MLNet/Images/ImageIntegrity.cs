using System.Buffers.Binary;

namespace Smae.MLNet;

/// <summary>
/// Tells whether an encoded image is all there. The decoder behind <see cref="Microsoft.ML.Data.MLImage"/> fills what is missing of a
/// cut-off file with grey and says nothing.
/// </summary>
internal static class ImageIntegrity
{
    private static ReadOnlySpan<byte> PngSignature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>
    /// Null where <paramref name="file"/> is complete as far as its container tells, else what is wrong with it. JPEG, PNG and BMP are
    /// checked; any other content is left to the decoder.
    /// </summary>
    public static string? Problem(ReadOnlySpan<byte> file)
    {
        if (file.IsEmpty) return "the file is empty";
        if (file.StartsWith<byte>([0xFF, 0xD8])) return JpegProblem(file);
        if (file.StartsWith(PngSignature)) return PngProblem(file);
        if (file.StartsWith("BM"u8)) return BmpProblem(file);
        return null;
    }

    private static string? JpegProblem(ReadOnlySpan<byte> file)
    {
        const byte StartOfImage = 0xD8, EndOfImage = 0xD9, FirstRestart = 0xD0, Temporary = 0x01;
        int at = 2;
        while (true)
        {
            // Between segments stands a marker; after a start-of-scan segment its data, where 0xFF is followed by 0 or is a marker too.
            int found = file[at..].IndexOf((byte)0xFF);
            if (found < 0 || at + found + 1 >= file.Length) return Truncated("JPEG", file.Length, "no end-of-image marker");
            at += found + 1;
            byte marker = file[at];
            if (marker == EndOfImage) return null;
            if (marker == 0xFF)
                continue; // A fill byte: the marker follows.
            at++;
            if (marker is 0 or Temporary or (>= FirstRestart and <= StartOfImage))
                continue; // No length follows these.

            if (at + 2 > file.Length) return Truncated("JPEG", file.Length, "it ends inside a segment header");
            int length = BinaryPrimitives.ReadUInt16BigEndian(file[at..]);
            if (length < 2) return $"corrupt JPEG: the segment at byte {at} has length {length}, expected at least 2";
            if (at + length > file.Length) return Truncated("JPEG", file.Length, $"a segment ends at byte {at + length}");
            at += length;
        }
    }

    private static string? PngProblem(ReadOnlySpan<byte> file)
    {
        long at = PngSignature.Length;
        while (at + 12 <= file.Length) // Length, type, (data), checksum.
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(file[(int)at..]);
            long next = at + 12 + length;
            if (next > file.Length) return Truncated("PNG", file.Length, $"a chunk ends at byte {next}");
            if (file.Slice((int)at + 4, 4).SequenceEqual("IEND"u8)) return null;
            at = next;
        }
        return Truncated("PNG", file.Length, "no IEND chunk");
    }

    private static string? BmpProblem(ReadOnlySpan<byte> file)
    {
        if (file.Length < 6) return Truncated("BMP", file.Length, "it ends inside the header");
        uint declared = BinaryPrimitives.ReadUInt32LittleEndian(file[2..]);
        return declared > file.Length ? Truncated("BMP", file.Length, $"the header declares {declared} bytes") : null;
    }

    private static string Truncated(string format, int length, string detail) => $"truncated {format}: {length} bytes, {detail}";
}
