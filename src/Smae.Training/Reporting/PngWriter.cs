using System.Buffers.Binary;
using System.IO.Compression;

namespace Smae.Training;

/// <summary>Writes pictures as PNG files: 8 bits a channel, grey, RGB or RGBA.</summary>
public static class PngWriter
{
    private static readonly byte[] s_signature = [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Writes a picture, safely: a reader sees the old file or the whole new one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="pixels">Rows from the top, in a row the pixels, in a pixel its bytes: one for grey, three for RGB, four for RGBA.</param>
    /// <exception cref="ArgumentException">A size is not positive, or the number of bytes is that of no such picture.</exception>
    /// <exception cref="IOException">The file cannot be written; one that was there before is untouched.</exception>
    public static void Save(string path, int width, int height, ReadOnlySpan<byte> pixels)
    {
        byte[] file = Encode(width, height, pixels);
        AtomicFile.Write(path, stream => stream.Write(file));
    }

    /// <summary>The bytes of a PNG file.</summary>
    internal static byte[] Encode(int width, int height, ReadOnlySpan<byte> pixels)
    {
        long count = (long)width * height;
        int channels = width > 0 && height > 0 && pixels.Length % count == 0 ? (int)(pixels.Length / count) : 0;
        byte? colorType = channels switch { 1 => 0, 3 => 2, 4 => 6, _ => null };
        if (colorType is null)
            throw new ArgumentException(
                $"{pixels.Length} bytes are not a picture of {width}x{height}: expected one, three or four bytes for each pixel.", nameof(pixels));

        using var file = new MemoryStream();
        file.Write(s_signature);
        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], height);
        (header[8], header[9]) = (8, colorType.Value);   // depth, kind; the rest is 0: deflate, filters line by line, not interlaced
        header[10..].Clear();
        Chunk(file, "IHDR"u8, header);

        using var packed = new MemoryStream();
        using (var deflate = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
            for (int row = 0; row < height; row++)
            {
                deflate.WriteByte(0);   // no filter
                deflate.Write(pixels.Slice(row * width * channels, width * channels));
            }
        Chunk(file, "IDAT"u8, packed.GetBuffer().AsSpan(0, (int)packed.Length));
        Chunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    private static void Chunk(Stream file, ReadOnlySpan<byte> name, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        file.Write(name);
        file.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc32.Ieee.Of(name, data));
        file.Write(number);
    }
}
