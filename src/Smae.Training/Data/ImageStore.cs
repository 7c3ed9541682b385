using System.Runtime.InteropServices;
using System.Security.Cryptography;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// Decoded images of one size in native memory, 8 bits a channel: an image is decoded and resized once, then every epoch copies it from here.
/// Adding is not thread-safe; reading is.
/// </summary>
public sealed unsafe class ImageStore : IDisposable
{
    private const long SegmentBytes = 64L << 20;
    private readonly List<nint> _segments = [];
    private readonly int _imageBytes;
    private readonly int _imagesPerSegment;
    private bool _disposed;

    /// <summary>An empty store.</summary>
    /// <param name="height">Height of every image in pixels.</param>
    /// <param name="width">Width of every image in pixels.</param>
    /// <param name="channels">Channels of every image. Default 3.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public ImageStore(int height, int width, int channels = 3)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(channels);
        (Height, Width, Channels) = (height, width, channels);
        _imageBytes = checked(height * width * channels);
        _imagesPerSegment = (int)Math.Max(1, SegmentBytes / _imageBytes);
    }

    /// <summary>Frees the memory of a store that nobody disposed.</summary>
    ~ImageStore() => Free();

    /// <summary>Height of every image in pixels.</summary>
    public int Height { get; }

    /// <summary>Width of every image in pixels.</summary>
    public int Width { get; }

    /// <summary>Channels of every image.</summary>
    public int Channels { get; }

    /// <summary>Number of images.</summary>
    public long Count { get; private set; }

    /// <summary>The bytes of an image: rows from the top, in a row the pixels, in a pixel the channels (<c>[height, width, channels]</c>).</summary>
    /// <param name="index">Which image.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such image.</exception>
    public ReadOnlySpan<byte> this[long index]
    {
        get
        {
            if ((ulong)index >= (ulong)Count) throw new ArgumentOutOfRangeException(nameof(index), index, $"The store holds {Count} images.");
            return Slot(index);
        }
    }

    /// <summary>Adds an image and gives its bytes to be filled, <c>[height, width, channels]</c>.</summary>
    public Span<byte> Add()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (Count == (long)_segments.Count * _imagesPerSegment)
            _segments.Add((nint)NativeMemory.Alloc((nuint)_imagesPerSegment, (nuint)_imageBytes));
        return Slot(Count++);
    }

    /// <summary>Adds an image.</summary>
    /// <param name="pixels"><c>[height, width, channels]</c>.</param>
    /// <exception cref="ArgumentException">The number of bytes is not that of an image.</exception>
    public void Add(ReadOnlySpan<byte> pixels)
    {
        if (pixels.Length != _imageBytes)
            throw new ArgumentException($"An image of {Height}x{Width}x{Channels} has {_imageBytes} bytes, not {pixels.Length}.", nameof(pixels));
        pixels.CopyTo(Add());
    }

    /// <summary>Copies images into a new tensor.</summary>
    /// <param name="indices">Which images, in this order.</param>
    /// <returns><c>[indices, height, width, channels]</c>, uint8, on the CPU.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An image does not exist.</exception>
    public Tensor Batch(ReadOnlySpan<long> indices)
    {
        Tensor batch = empty([indices.Length, Height, Width, Channels], ScalarType.Byte);
        Span<byte> bytes = batch.bytes;
        for (int i = 0; i < indices.Length; i++) this[indices[i]].CopyTo(bytes.Slice(i * _imageBytes, _imageBytes));
        return batch;
    }

    /// <summary>A hash of all pixels: the same images in the same order give the same text.</summary>
    internal string ContentHash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long i = 0; i < Count; i++) hash.AppendData(this[i]);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private Span<byte> Slot(long index)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        (long segment, long place) = Math.DivRem(index, _imagesPerSegment);
        return new Span<byte>((byte*)_segments[(int)segment] + place * _imageBytes, _imageBytes);
    }

    private void Free()
    {
        _disposed = true;
        foreach (nint segment in _segments) NativeMemory.Free((void*)segment);
        _segments.Clear();
    }
}
