using System.Runtime.InteropServices;

namespace Microsoft.ML.Data;

/// <summary>Image files to and from pixels, by the C library in the folder native.</summary>
internal static unsafe partial class ImageCodec
{
    private const string Library = "smae_images";

    /// <summary>Decodes JPEG, PNG, BMP or GIF; null if it is none of them. A file cut short gives what is there of it, as with Skia.</summary>
    public static PixelBuffer Decode(ReadOnlySpan<byte> file)
    {
        fixed (byte* data = file)
        {
            if (file.IsEmpty || ReadHeader(data, (nuint)file.Length, out Header header) == 0)
                return null;
            PixelBuffer pixels = PixelBuffer.Create(header.Width, header.Height, PixelBuffer.PlatformFormat, header.Opaque != 0);
            fixed (byte* target = pixels.Bytes)
            {
                if (DecodePixels(data, (nuint)file.Length, in header, target) != 0)
                    return pixels;
            }

            pixels.Dispose();
            return null;
        }
    }

    public static void EncodeJpeg(PixelBuffer pixels, int quality, string path)
    {
        fixed (byte* source = pixels.Bytes)
        {
            byte* file = EncodeJpeg(source, IsBgra(pixels), pixels.Width, pixels.Height, quality, out nuint size);
            Write(file, size, path);
        }
    }

    public static void EncodePng(PixelBuffer pixels, string path)
    {
        fixed (byte* source = pixels.Bytes)
        {
            byte* file = EncodePng(source, IsBgra(pixels), pixels.IsOpaque ? 1 : 0, pixels.Width, pixels.Height, out nuint size);
            Write(file, size, path);
        }
    }

    private static int IsBgra(PixelBuffer pixels) => pixels.Format == MLPixelFormat.Bgra32 ? 1 : 0;

    private static void Write(byte* file, nuint size, string path)
    {
        if (file == null)
            throw new InvalidOperationException("The image could not be encoded.");
        try
        {
            using var stream = new FileStream(path, FileMode.Create, FileAccess.Write);
            stream.Write(new ReadOnlySpan<byte>(file, checked((int)size)));
        }
        finally
        {
            Free(file);
        }
    }

    [LibraryImport(Library, EntryPoint = "smae_image_header_read")]
    private static partial int ReadHeader(byte* data, nuint size, out Header header);

    [LibraryImport(Library, EntryPoint = "smae_image_decode")]
    private static partial int DecodePixels(byte* data, nuint size, in Header header, byte* pixels);

    [LibraryImport(Library, EntryPoint = "smae_image_encode_jpeg")]
    private static partial byte* EncodeJpeg(byte* pixels, int bgra, int width, int height, int quality, out nuint size);

    [LibraryImport(Library, EntryPoint = "smae_image_encode_png")]
    private static partial byte* EncodePng(byte* pixels, int bgra, int opaque, int width, int height, out nuint size);

    [LibraryImport(Library, EntryPoint = "smae_image_free")]
    private static partial void Free(byte* memory);

    [StructLayout(LayoutKind.Sequential)]
    private struct Header
    {
        public int Width;
        public int Height;
        public int Opaque;
    }
}
