using System.Buffers.Binary;
using SkiaSharp;

namespace Smae.MLNet;

/// <summary>
/// How an image lies in its file. Skia tells that of JPEGs, and of WebP files with plain EXIF data; those of a PNG, of a WebP behind JPEG's prefix, as some
/// programs write it, and of any in a number of 32 bits are found here.
/// </summary>
internal static class ImageOrigin
{
    private const ushort OrientationTag = 0x0112, Short = 3, Long = 4;

    public static SKEncodedOrigin Of(SKCodec codec, ReadOnlySpan<byte> file)
    {
        if (codec.EncodedOrigin is not (SKEncodedOrigin.TopLeft or SKEncodedOrigin.Default)) return codec.EncodedOrigin;
        ReadOnlySpan<byte> exif = codec.EncodedFormat switch
        {
            SKEncodedImageFormat.Jpeg => Segment(file),
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

    /// <summary>The content of a JPEG's first segment of EXIF data; nothing where there is none before the picture.</summary>
    private static ReadOnlySpan<byte> Segment(ReadOnlySpan<byte> file)
    {
        const byte Application1 = 0xE1, Scan = 0xDA;
        for (int at = 2; at + 4 <= file.Length && file[at] == 0xFF && file[at + 1] != Scan;)
        {
            int length = BinaryPrimitives.ReadUInt16BigEndian(file[(at + 2)..]);   // of itself and the content
            if (length < 2 || at + 2 + length > file.Length) break;
            ReadOnlySpan<byte> content = file.Slice(at + 4, length - 2);
            if (file[at + 1] == Application1 && content.StartsWith("Exif\0\0"u8)) return content;
            at += 2 + length;
        }
        return [];
    }

    /// <summary>The orientation that EXIF data tell in their first directory.</summary>
    private static SKEncodedOrigin Read(ReadOnlySpan<byte> exif)
    {
        if (exif.Length < 8 || exif is not ([(byte)'M', (byte)'M', 0, 42, ..] or [(byte)'I', (byte)'I', 42, 0, ..])) return SKEncodedOrigin.TopLeft;
        bool big = exif[0] == (byte)'M';
        ushort Two(ReadOnlySpan<byte> at) => big ? BinaryPrimitives.ReadUInt16BigEndian(at) : BinaryPrimitives.ReadUInt16LittleEndian(at);
        uint Four(ReadOnlySpan<byte> at) => big ? BinaryPrimitives.ReadUInt32BigEndian(at) : BinaryPrimitives.ReadUInt32LittleEndian(at);
        uint offset = Four(exif[4..]);
        if (offset > exif.Length - 2) return SKEncodedOrigin.TopLeft;
        ReadOnlySpan<byte> entries = exif[((int)offset + 2)..];
        for (int left = Two(exif[(int)offset..]); left > 0 && entries.Length >= 12; left--, entries = entries[12..])
        {
            if (Two(entries) != OrientationTag) continue;
            uint told = Two(entries[2..]) switch { Short => Two(entries[8..]), Long => Four(entries[8..]), _ => 0 };
            if (told is >= 1 and <= 8) return (SKEncodedOrigin)told;
        }
        return SKEncodedOrigin.TopLeft;
    }
}
