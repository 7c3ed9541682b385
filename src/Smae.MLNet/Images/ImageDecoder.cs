using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SkiaSharp;

namespace Smae.MLNet;

/// <summary>Decoders of one preprocessing for any number of threads: made as needed, kept for the next use.</summary>
internal sealed class ImageDecoders
{
    private readonly ConcurrentBag<ImageDecoder> _idle = [];
    private readonly int _maxMegapixels;
    private readonly bool _whole;

    /// <param name="whole">Whether large JPEGs too are decoded at their whole size, as ML.NET does: to the pixel what a saved chain sees.</param>
    /// <exception cref="ArgumentException">ML.NET's images cannot give that number of channels, or the preprocessing has other faults.</exception>
    public ImageDecoders(ImagePreprocessing preprocessing, int maxMegapixels = ImageReadOptions.DefaultMaxMegapixels, bool whole = false)
    {
        if (preprocessing.Channels is not (1 or 3 or 4))
            throw new ArgumentException(
                $"The encoder takes images of {preprocessing.Channels} channels: expected 1 (grey), 3 (red, green, blue) or 4 (and alpha).", nameof(preprocessing));
        preprocessing.Validate();
        (Preprocessing, _maxMegapixels, _whole) = (preprocessing, maxMegapixels, whole);
    }

    /// <summary>What is done to an image.</summary>
    public ImagePreprocessing Preprocessing { get; }

    /// <summary>A decoder for one thread, until it is given back.</summary>
    public ImageDecoder Rent() => _idle.TryTake(out var decoder) ? decoder : new ImageDecoder(Preprocessing, _maxMegapixels, _whole);

    public void Return(ImageDecoder decoder) => _idle.Add(decoder);
}

/// <summary>
/// Makes pixels of <see cref="ImagePreprocessing"/>'s size of files, bytes and images: upright, resized, on the ground colour. What is whole and what is broken
/// is for Skia to say. A JPEG that is more than twice as large is decoded at a half, a quarter or an eighth of its size. Holds buffers: one thread at a time
/// uses it.
/// </summary>
internal sealed class ImageDecoder(ImagePreprocessing preprocessing, int maxMegapixels, bool whole)
{
    private readonly ImageFitter _fitter = new(preprocessing);
    private byte[] _encoded = [];

    /// <summary>Decodes the file <paramref name="path"/> into <paramref name="pixels"/> (H x W x C bytes).</summary>
    /// <returns>Null, or what is wrong with the file; where its content alone does not decide that, with an inner exception.</returns>
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
            return new InvalidDataException($"{path}: cannot be read: {(Directory.Exists(path) ? "it is a folder" : exception.Message)}", exception);
        }
        return Decode(length, path, pixels);
    }

    /// <summary>Decodes <paramref name="encoded"/>, the content of an image file, into <paramref name="pixels"/> (H x W x C bytes).</summary>
    /// <returns>Null, or what is wrong with the bytes, which the text calls <paramref name="name"/>.</returns>
    public InvalidDataException? DecodeBytes(in VBuffer<byte> encoded, string name, Span<byte> pixels) => encoded.IsDense
        ? DecodeBytes(encoded.GetValues(), name, pixels)
        : DecodeBytes((ReadOnlySpan<byte>)[.. encoded.DenseValues()], name, pixels);

    /// <inheritdoc cref="DecodeBytes(in VBuffer{byte}, string, Span{byte})"/>
    public InvalidDataException? DecodeBytes(ReadOnlySpan<byte> encoded, string name, Span<byte> pixels)
    {
        Reserve(encoded.Length);
        encoded.CopyTo(_encoded);
        return Decode(encoded.Length, name, pixels);
    }

    /// <summary>Resizes <paramref name="image"/>, which stays the caller's, into <paramref name="pixels"/> (H x W x C bytes).</summary>
    /// <returns>Null, or what is wrong with the image, which the text calls <paramref name="name"/>.</returns>
    public InvalidDataException? Extract(MLImage image, Span<byte> pixels, string name = "image")
    {
        SKBitmap bitmap = BitmapOf(image);
        if (_fitter.Problem(bitmap.Info.Size) is { } problem) return new InvalidDataException($"{name}: {problem}");
        _fitter.Fit(bitmap, pixels);
        return null;
    }

    private InvalidDataException? Decode(int length, string name, Span<byte> pixels)
    {
        if (length == 0) return new InvalidDataException($"{name}: the file is empty, or a pipe or device");
        using SKData data = SKData.Create(Marshal.UnsafeAddrOfPinnedArrayElement(_encoded, 0), length);
        using SKCodec? codec = SKCodec.Create(data);
        if (codec is null)
        {
            string found = $"{length} bytes starting with {Convert.ToHexString(_encoded.AsSpan(0, Math.Min(length, 8)))}";
            return new InvalidDataException(FormatOf(_encoded.AsSpan(0, length)) is { } format
                ? $"{name}: truncated {format}: its header is not whole, found {found}"
                : $"{name}: not an image: expected the content of a JPEG, PNG, WebP, BMP or GIF file, found {found}");
        }
        (int width, int height) = (codec.Info.Width, codec.Info.Height);
        SKEncodedOrigin origin = preprocessing.Orientation == ImageOrientation.Upright ? ImageOrigin.Of(codec, _encoded.AsSpan(0, length)) : SKEncodedOrigin.TopLeft;
        SKSizeI seen = origin >= SKEncodedOrigin.LeftTop ? new SKSizeI(height, width) : new SKSizeI(width, height);
        int halvings = codec.EncodedFormat == SKEncodedImageFormat.Jpeg && !whole ? _fitter.HalvingsOf(seen) : 0;
        var info = new SKImageInfo(
            width, height, SKImageInfo.PlatformColorType, codec.Info.AlphaType == SKAlphaType.Opaque ? SKAlphaType.Opaque : SKAlphaType.Premul);
        if (halvings > 0) info = info.WithSize(codec.GetScaledDimensions(1f / (1 << halvings)));
        using var image = new SKBitmap();
        // By the header, before memory is taken for what it promises.
        if ((long)width * height > maxMegapixels * 1_000_000L || !image.TryAllocPixels(info))
            return new InvalidDataException(
                $"{name}: too large: {width}x{height} pixels, expected at most {maxMegapixels} megapixels", new NotSupportedException("ImageReadOptions.MaxMegapixels"));
        if (_fitter.Problem(seen) is { } problem) return new InvalidDataException($"{name}: {problem}");
        SKCodecResult result = codec.GetPixels(info, image.GetPixels());
        if (result != SKCodecResult.Success)
            return new InvalidDataException(
                $"{name}: truncated {(result == SKCodecResult.IncompleteInput ? "" : "or damaged ")}{codec.EncodedFormat.ToString().ToUpperInvariant()}: "
                + $"{length} bytes do not make all of its {width}x{height} pixels ({result})");
        SKRect part = ImageFitter.PartOf(width, height, halvings);
        using SKBitmap? upright = Upright(image, origin, ref part);
        _fitter.Fit(upright ?? image, seen, part, pixels);
        return null;
    }

    private static string? FormatOf(ReadOnlySpan<byte> file) => file switch
    {
        [0xFF, 0xD8, ..] => "JPEG",
        [0x89, (byte)'P', (byte)'N', (byte)'G', ..] => "PNG",
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', ..] => "WEBP",
        [(byte)'G', (byte)'I', (byte)'F', (byte)'8', ..] => "GIF",
        [(byte)'B', (byte)'M', ..] => "BMP",
        _ => null,
    };

    /// <summary>The image as it is to be seen; null where it lies so already.</summary>
    /// <param name="part">The part that counts, turned with the image.</param>
    private static SKBitmap? Upright(SKBitmap image, SKEncodedOrigin origin, ref SKRect part)
    {
        if (origin is SKEncodedOrigin.TopLeft or SKEncodedOrigin.Default) return null;
        (int w, int h) = (image.Width, image.Height);
        // To x and to y: how much of x, of y, and what is added.
        (int xx, int xy, int x0, int yx, int yy, int y0) = origin switch
        {
            SKEncodedOrigin.TopRight => (-1, 0, w, 0, 1, 0),
            SKEncodedOrigin.BottomRight => (-1, 0, w, 0, -1, h),
            SKEncodedOrigin.BottomLeft => (1, 0, 0, 0, -1, h),
            SKEncodedOrigin.LeftTop => (0, 1, 0, 1, 0, 0),
            SKEncodedOrigin.RightTop => (0, -1, h, 1, 0, 0),
            SKEncodedOrigin.RightBottom => (0, -1, h, -1, 0, w),
            _ => (0, 1, 0, -1, 0, w),
        };
        var upright = new SKBitmap(image.Info.WithSize(xx == 0 ? h : w, xx == 0 ? w : h));
        using var canvas = new SKCanvas(upright);
        var turn = new SKMatrix(xx, xy, x0, yx, yy, y0, 0, 0, 1);
        canvas.SetMatrix(turn);
        canvas.DrawBitmap(image, 0, 0);
        part = turn.MapRect(part);
        return upright;
    }

    private int Read(string path)
    {
        if (ImageFiles.LengthOf(path) == 0) return 0;
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read, FileOptions.SequentialScan);
        int length = checked((int)Math.Min(RandomAccess.GetLength(file), Array.MaxLength));
        Reserve(length);
        int read = 0;
        while (read < length && RandomAccess.Read(file, _encoded.AsSpan(read, length - read), read) is > 0 and int count) read += count;
        return read;
    }

    private void Reserve(int length)
    {
        int grown = (int)Math.Min(2L * _encoded.Length, Array.MaxLength);
        if (_encoded.Length < length) _encoded = GC.AllocateUninitializedArray<byte>(Math.Max(length, grown), pinned: true);
    }

    /// <summary>The bitmap that an image of ML.NET is around: it alone tells whether the image is opaque.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_image")]
    private static extern ref SKBitmap BitmapOf(MLImage image);
}
