using System.Buffers.Binary;
using System.Text;
using SkiaSharp;

namespace Smae.MLNet.Tests;

/// <summary>Image files of every kind that users have: see-through, lying on their side, too large, wrongly made.</summary>
internal static class Drawings
{
    public static byte[] Encode(int width, int height, Func<int, int, SKColor> color, SKEncodedImageFormat format = SKEncodedImageFormat.Png)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) bitmap.SetPixel(x, y, color(x, y));
        using SKData data = bitmap.Encode(format, 100);
        return data.ToArray();
    }

    public static string Write(string path, int width, int height, Func<int, int, SKColor> color)
    {
        File.WriteAllBytes(path, Encode(width, height, color));
        return path;
    }

    /// <summary>Red, green over blue, white: a quarter each, as they are stored.</summary>
    public static byte[] Quarters(int width, int height, SKEncodedImageFormat format = SKEncodedImageFormat.Jpeg) => Encode(
        width, height, (x, y) => (2 * x < width, 2 * y < height) switch
        {
            (true, true) => SKColors.Red, (false, true) => new SKColor(0, 255, 0), (true, false) => SKColors.Blue, _ => SKColors.White,
        }, format);

    /// <summary>A JPEG with an EXIF segment of one entry after its start.</summary>
    public static byte[] WithOrientation(byte[] jpeg, byte orientation, bool bigEndian = true, bool wide = false)
    {
        byte[] content = [.. "Exif\0\0"u8, .. Exif(orientation, bigEndian, wide)];
        return [.. jpeg[..2], 0xFF, 0xE1, 0, (byte)(content.Length + 2), .. content, .. jpeg[2..]];
    }

    /// <summary>A PNG with EXIF data before its pixels, or behind them.</summary>
    public static byte[] PngWithOrientation(byte[] png, byte orientation, bool early, bool wide = false)
    {
        const int HeaderEnd = 33, EndBytes = 12;
        byte[] exif = Exif(orientation, bigEndian: early, wide), chunk = [0, 0, 0, (byte)exif.Length, .. "eXIf"u8, .. exif, 0, 0, 0, 0];
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(chunk.Length - 4), Crc(chunk.AsSpan(4, chunk.Length - 8)));
        return early ? [.. png[..HeaderEnd], .. chunk, .. png[HeaderEnd..]] : [.. png[..^EndBytes], .. chunk, .. png[^EndBytes..]];
    }

    /// <summary>A WebP of a size with EXIF data, as they are or behind the prefix that they have in a JPEG.</summary>
    public static byte[] WebpWithOrientation(byte[] webp, int width, int height, byte orientation, bool prefix, bool wide = false)
    {
        const byte HasExif = 8;
        byte[] exif = [.. prefix ? "Exif\0\0"u8 : [], .. Exif(orientation, bigEndian: true, wide)];
        byte[] content =
        [
            .. "WEBPVP8X"u8, 10, 0, 0, 0, HasExif, 0, 0, 0, (byte)(width - 1), 0, 0, (byte)(height - 1), 0, 0, .. webp[12..],
            .. "EXIF"u8, (byte)exif.Length, 0, 0, 0, .. exif, .. new byte[exif.Length % 2],
        ];
        byte[] file = [.. "RIFF"u8, 0, 0, 0, 0, .. content];
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(4), content.Length);
        return file;
    }

    /// <param name="wide">Whether the orientation is a number of 32 bits, as some programs write it, and not of 16.</param>
    private static byte[] Exif(byte orientation, bool bigEndian, bool wide) => bigEndian
        ? [.. "MM"u8, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12,
            .. (byte[])(wide ? [0, 4, 0, 0, 0, 1, 0, 0, 0, orientation] : [0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]), 0, 0, 0, 0]
        : [.. "II"u8, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, (byte)(wide ? 4 : 3), 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>A black disc on nothing.</summary>
    public static SKColor Disc(int x, int y, int width, int height) =>
        Math.Pow((x + 0.5) / width - 0.5, 2) + Math.Pow((y + 0.5) / height - 0.5, 2) < 0.1 ? SKColors.Black : SKColors.Transparent;

    /// <summary>A PNG of a few bytes whose header says another size than it has.</summary>
    public static byte[] PngThatSays(int width, int height)
    {
        byte[] png = Encode(8, 8, (_, _) => SKColors.Red);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), width);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), height);
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), Crc(png.AsSpan(12, 17)));
        return png;
    }

    private static uint Crc(ReadOnlySpan<byte> chunk)
    {
        uint crc = ~0u;
        foreach (byte b in chunk)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? 0xEDB88320 ^ (crc >> 1) : crc >> 1;
        }
        return ~crc;
    }

    /// <summary>A BMP of 24 bits a pixel, all of them <paramref name="value"/>, whose size field is off by <paramref name="off"/> bytes.</summary>
    public static byte[] Bmp(int width, int height, byte value, int off = 0)
    {
        int row = (3 * width + 3) / 4 * 4;
        byte[] bmp = new byte[54 + row * height];
        Encoding.ASCII.GetBytes("BM", bmp);
        BinaryPrimitives.WriteInt32LittleEndian(bmp.AsSpan(2), bmp.Length + off);
        foreach ((int at, int number) in new[] { (10, 54), (14, 40), (18, width), (22, height) }) BinaryPrimitives.WriteInt32LittleEndian(bmp.AsSpan(at), number);
        (bmp[26], bmp[28]) = (1, 24);
        bmp.AsSpan(54).Fill(value);
        return bmp;
    }
}
