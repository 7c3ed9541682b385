using System.Collections.Concurrent;

namespace Smae.MLNet;

/// <summary>Decoders of one preprocessing for any number of threads: made as needed, kept for the next use.</summary>
internal sealed class ImageDecoders
{
    private readonly ImageResizer _resizer;
    private readonly ConcurrentBag<ImageDecoder> _idle = [];

    /// <exception cref="ArgumentException">ML.NET's images cannot give that number of channels.</exception>
    public ImageDecoders(ImagePreprocessing preprocessing)
    {
        if (preprocessing.Channels is not (1 or 3 or 4))
            throw new ArgumentException(
                $"The encoder takes images of {preprocessing.Channels} channels: expected 1 (grey), 3 (red, green, blue) or 4 (and alpha).",
                nameof(preprocessing));
        (Preprocessing, _resizer) = (preprocessing, new ImageResizer(preprocessing));
    }

    /// <summary>What is done to an image.</summary>
    public ImagePreprocessing Preprocessing { get; }

    /// <summary>A decoder for one thread, until it is given back.</summary>
    public ImageDecoder Rent() => _idle.TryTake(out var decoder) ? decoder : new ImageDecoder(_resizer, Preprocessing.Channels);

    public void Return(ImageDecoder decoder) => _idle.Add(decoder);
}

/// <summary>
/// Makes pixels of <see cref="ImagePreprocessing"/>'s size of files, bytes and images. Holds buffers: one thread at a time uses it.
/// </summary>
internal sealed class ImageDecoder
{
    private readonly int _channels;
    private readonly SingleImageRow _row = new();
    private readonly ValueGetter<MLImage> _resize;
    private byte[] _encoded = [];

    public ImageDecoder(ImageResizer resizer, int channels)
    {
        _channels = channels;
        _resize = resizer.GetterFor(_row);
    }

    /// <summary>Decodes the file <paramref name="path"/> into <paramref name="pixels"/> (H x W x C bytes).</summary>
    /// <returns>Null, or what is wrong with the file.</returns>
    public InvalidDataException? DecodeFile(string path, Span<byte> pixels)
    {
        if (string.IsNullOrWhiteSpace(path)) return new InvalidDataException("The path of the image is empty.");
        int length;
        try
        {
            length = Read(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return new InvalidDataException($"{path}: cannot be read: {exception.Message}", exception);
        }
        return Decode(length, path, pixels);
    }

    /// <summary>Decodes <paramref name="encoded"/>, the content of an image file, into <paramref name="pixels"/> (H x W x C bytes).</summary>
    /// <returns>Null, or what is wrong with the bytes, which the text calls <paramref name="name"/>.</returns>
    public InvalidDataException? DecodeBytes(in VBuffer<byte> encoded, string name, Span<byte> pixels)
    {
        Reserve(encoded.Length);
        encoded.CopyTo(_encoded.AsSpan(0, encoded.Length));
        return Decode(encoded.Length, name, pixels);
    }

    /// <inheritdoc cref="DecodeBytes(in VBuffer{byte}, string, Span{byte})"/>
    public InvalidDataException? DecodeBytes(ReadOnlySpan<byte> encoded, string name, Span<byte> pixels)
    {
        Reserve(encoded.Length);
        encoded.CopyTo(_encoded);
        return Decode(encoded.Length, name, pixels);
    }

    /// <summary>Resizes <paramref name="image"/>, which stays the caller's, into <paramref name="pixels"/> (H x W x C bytes).</summary>
    public void Extract(MLImage image, Span<byte> pixels)
    {
        _row.Set(image);
        MLImage? resized = null;
        _resize(ref resized!);
        PixelOrder.Copy(resized, _channels, pixels);
        if (!ReferenceEquals(resized, image)) resized.Dispose();
    }

    private InvalidDataException? Decode(int length, string name, Span<byte> pixels)
    {
        if (ImageIntegrity.Problem(_encoded.AsSpan(0, length)) is { } problem)
            return new InvalidDataException($"{name}: {problem}");
        MLImage image;
        try
        {
            image = MLImage.CreateFromStream(new MemoryStream(_encoded, 0, length, writable: false));
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException or NotSupportedException)
        {
            string start = Convert.ToHexString(_encoded.AsSpan(0, Math.Min(length, 8)));
            return new InvalidDataException(
                $"{name}: not an image: expected the content of a JPEG, PNG, BMP or GIF file, found {length} bytes starting with {start}",
                exception);
        }
        using (image)
            Extract(image, pixels);
        return null;
    }

    private int Read(string path)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read, FileOptions.SequentialScan);
        int length = checked((int)Math.Min(RandomAccess.GetLength(file), Array.MaxLength));
        Reserve(length);
        int read = 0;
        while (read < length)
        {
            int count = RandomAccess.Read(file, _encoded.AsSpan(read, length - read), read);
            if (count == 0) break;
            read += count;
        }
        return read;
    }

    private void Reserve(int length)
    {
        if (_encoded.Length < length) _encoded = new byte[Math.Max(length, 2 * _encoded.Length)];
    }
}

/// <summary>Copies pixels from the order an <see cref="MLImage"/> stores them in to that of an <see cref="Training.ImageStore"/>.</summary>
internal static class PixelOrder
{
    /// <summary>Writes the pixels of <paramref name="image"/> row by row: grey (1 channel), red, green, blue (3) or the same and alpha (4).</summary>
    public static void Copy(MLImage image, int channels, Span<byte> destination)
    {
        var source = image.Pixels;
        var (red, blue) = image.PixelFormat switch
        {
            MLPixelFormat.Bgra32 => (2, 0),
            MLPixelFormat.Rgba32 => (0, 2),
            _ => throw new NotSupportedException($"Pixel format {image.PixelFormat} is not supported."),
        };
        int count = image.Width * image.Height;
        destination = destination[..(count * channels)];
        for (int i = 0, to = 0; i < count; i++, to += channels)
        {
            var pixel = source.Slice(4 * i, 4);
            if (channels == 1)
            {
                destination[to] = Luma(pixel[red], pixel[1], pixel[blue]);
                continue;
            }
            destination[to] = pixel[red];
            destination[to + 1] = pixel[1];
            destination[to + 2] = pixel[blue];
            if (channels == 4) destination[to + 3] = pixel[3];
        }
    }

    // ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B in 16-bit fixed point, rounded: the weights add up to 65536.
    private static byte Luma(byte red, byte green, byte blue) => (byte)((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16);
}
