using Microsoft.ML;
using Microsoft.ML.Data;
using Smae.Training;

namespace Smae.MLNet;

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
        if (string.IsNullOrWhiteSpace(path))
            return new InvalidDataException("The path of the image is empty.");
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
        if (!ReferenceEquals(resized, image))
            resized.Dispose();
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
            if (count == 0)
                break;
            read += count;
        }
        return read;
    }

    private void Reserve(int length)
    {
        if (_encoded.Length < length)
            _encoded = new byte[Math.Max(length, 2 * _encoded.Length)];
    }
}
