using System.Buffers.Binary;
using SkiaSharp;

namespace Smae.MLNet;

/// <summary>
/// How an image lies in its file. Skia tells that of JPEGs, and of WebP files with plain EXIF data; those of a PNG, and of a WebP behind JPEG's prefix, as some
/// programs write it, are found here.
/// </summary>
internal static class ImageOrigin
{
    private const ushort OrientationTag = 0x0112, Short = 3;

    public static SKEncodedOrigin Of(SKCodec codec, ReadOnlySpan<byte> file)
    {
        if (codec.EncodedOrigin is not (SKEncodedOrigin.TopLeft or SKEncodedOrigin.Default)) return codec.EncodedOrigin;
        ReadOnlySpan<byte> exif = codec.EncodedFormat switch
        {
            SKEncodedImageFormat.Png => Chunk(file, start: 8, "eXIf"u8, bigEndian: true, lengthFirst: true, checksum: 4),
            SKEncodedImageFormat.Webp => Chunk(file, start: 12, "EXIF"u8, bigEndian: false, lengthFirst: false, checksum: 0),
            _ => [],
        };
        return Read(exif.StartsWith("Exif\0\0"u8) ? exif[6..] : exif);
    }

    /// <summary>The content of the first chunk of a name; nothing where there is none.</summary>
    private static ReadOnlySpan<byte> Chunk(ReadOnlySpan<byte> file, int start, ReadOnlySpan<byte> name, bool bigEndian, bool lengthFirst, int checksum)
    {
        for (long at = start; at + 8 <= file.Length;)
        {
            ReadOnlySpan<byte> head = file.Slice((int)at, 8);
            uint length = bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(head) : BinaryPrimitives.ReadUInt32LittleEndian(head[4..]);
            if (at + 8 + length > file.Length) break;
            if ((lengthFirst ? head[4..] : head[..4]).SequenceEqual(name)) return file.Slice((int)at + 8, (int)length);
            at += 8 + length + checksum + (lengthFirst ? 0 : length % 2);   // RIFF keeps even places
        }
        return [];
    }

    /// <summary>The orientation that EXIF data tell in their first directory.</summary>
    private static SKEncodedOrigin Read(ReadOnlySpan<byte> exif)
    {
        if (exif.Length < 8 || exif is not ([(byte)'M', (byte)'M', 0, 42, ..] or [(byte)'I', (byte)'I', 42, 0, ..])) return SKEncodedOrigin.TopLeft;
        bool big = exif[0] == (byte)'M';
        ushort Two(ReadOnlySpan<byte> at) => big ? BinaryPrimitives.ReadUInt16BigEndian(at) : BinaryPrimitives.ReadUInt16LittleEndian(at);
        uint offset = big ? BinaryPrimitives.ReadUInt32BigEndian(exif[4..]) : BinaryPrimitives.ReadUInt32LittleEndian(exif[4..]);
        if (offset > exif.Length - 2) return SKEncodedOrigin.TopLeft;
        ReadOnlySpan<byte> entries = exif[((int)offset + 2)..];
        for (int left = Two(exif[(int)offset..]); left > 0 && entries.Length >= 12; left--, entries = entries[12..])
            if (Two(entries) == OrientationTag && Two(entries[2..]) == Short && Two(entries[8..]) is >= 1 and <= 8 and var told) return (SKEncodedOrigin)told;
        return SKEncodedOrigin.TopLeft;
    }
}
