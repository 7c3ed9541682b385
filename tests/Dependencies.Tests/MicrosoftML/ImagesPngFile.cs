using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Dependencies.Tests.MicrosoftML;

/// <summary>Writes PNG files without the help of what is tested.</summary>
internal static class ImagesPngFile
{
    private const byte Gray = 0;
    private const byte Rgb = 2;
    private const byte Rgba = 6;

    /// <param name="width">Pixels in a row.</param>
    /// <param name="height">Rows.</param>
    /// <param name="samples">One, three or four bytes a pixel: grey, or red, green, blue and alpha.</param>
    public static byte[] Encode(int width, int height, byte[] samples)
    {
        int channels = samples.Length / (width * height);
        var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', (byte)'\r', (byte)'\n', 0x1a, (byte)'\n']);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        header[8] = 8;
        header[9] = channels switch { 1 => Gray, 3 => Rgb, _ => Rgba };
        WriteChunk(file, "IHDR", header);

        var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            for (int y = 0; y < height; y++)
            {
                zlib.WriteByte(0);
                zlib.Write(samples, y * width * channels, width * channels);
            }
        }

        WriteChunk(file, "IDAT", packed.ToArray());
        WriteChunk(file, "IEND", []);
        return file.ToArray();
    }

    private static void WriteChunk(Stream file, string type, byte[] content)
    {
        byte[] body = [.. Encoding.ASCII.GetBytes(type), .. content];
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, content.Length);
        file.Write(number);
        file.Write(body);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc(body));
        file.Write(number);
    }

    private static uint Crc(byte[] bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xedb88320 : crc >> 1;
        }

        return ~crc;
    }
}
