using System.Buffers;

namespace Microsoft.ML.Data;

/// <summary>Premultiplied pixels of four bytes, rows without padding.</summary>
/// <remarks>The memory is borrowed from the shared pool: streaming through a data set then allocates no large arrays.</remarks>
internal sealed class PixelBuffer : IDisposable
{
    private byte[] _bytes;

    private PixelBuffer(int width, int height, MLPixelFormat format, bool isOpaque, byte[] bytes)
    {
        Width = width;
        Height = height;
        Format = format;
        IsOpaque = isOpaque;
        _bytes = bytes;
    }

    /// <summary>Blue first: what Skia takes for a picture it makes itself on Linux and Windows.</summary>
    public static MLPixelFormat PlatformFormat => MLPixelFormat.Bgra32;

    public int Width { get; }

    public int Height { get; }

    public MLPixelFormat Format { get; }

    /// <summary>Whether the alpha bytes mean nothing.</summary>
    public bool IsOpaque { get; }

    public Span<byte> Bytes => _bytes.AsSpan(0, Width * Height * 4);

    /// <summary>Makes a buffer of zeros.</summary>
    public static PixelBuffer Create(int width, int height, MLPixelFormat format, bool isOpaque)
    {
        long size = 4L * width * height;
        if (size > Array.MaxLength)
            throw new InvalidOperationException("Unable to allocate pixels for the bitmap.");
        var buffer = new PixelBuffer(width, height, format, isOpaque, ArrayPool<byte>.Shared.Rent((int)size));
        buffer.Bytes.Clear();
        return buffer;
    }

    public PixelBuffer Clone()
    {
        PixelBuffer clone = Create(Width, Height, Format, IsOpaque);
        Bytes.CopyTo(clone.Bytes);
        return clone;
    }

    public void Dispose()
    {
        byte[] bytes = Interlocked.Exchange(ref _bytes, null);
        if (bytes != null)
            ArrayPool<byte>.Shared.Return(bytes);
    }
}
