namespace Microsoft.ML.Data;

/// <summary>A picture in memory.</summary>
public sealed class MLImage : IDisposable
{
    private const int SaveQuality = 100;

    /// <summary>Whether a known extension is of a format that can be written; Skia writes WebP too.</summary>
    private static readonly Dictionary<string, Action<PixelBuffer, string>> Encoders = new(StringComparer.OrdinalIgnoreCase)
    {
        [".jpg"] = (pixels, path) => ImageCodec.EncodeJpeg(pixels, SaveQuality, path),
        [".jpeg"] = (pixels, path) => ImageCodec.EncodeJpeg(pixels, SaveQuality, path),
        [".png"] = ImageCodec.EncodePng,
        [".bmp"] = null,
        [".gif"] = null,
        [".ico"] = null,
        [".astc"] = null,
        [".avif"] = null,
        [".dng"] = null,
        [".heif"] = null,
        [".ktx"] = null,
        [".pkm"] = null,
        [".wbmp"] = null,
        [".webp"] = null,
    };

    private PixelBuffer _pixels;
    private string _tag;

    private MLImage(PixelBuffer pixels) => _pixels = pixels;

    public MLPixelFormat PixelFormat => Alive.Format;

    /// <summary>A new array, without the alpha, not premultiplied.</summary>
    public byte[] GetBGRPixels => PixelConversions.ToBgr(Alive);

    public ReadOnlySpan<byte> Pixels => Alive.Bytes;

    public string Tag
    {
        get
        {
            _ = Alive;
            return _tag;
        }

        set
        {
            _ = Alive;
            _tag = value;
        }
    }

    public int Width => Alive.Width;

    public int Height => Alive.Height;

    public int BitsPerPixel
    {
        get
        {
            _ = Alive;
            return 32;
        }
    }

    private PixelBuffer Alive => _pixels ?? throw new InvalidOperationException("Object is disposed.");

    /// <summary>Reads the rest of the stream and, as the original does, closes it.</summary>
    public static MLImage CreateFromStream(Stream imageStream)
    {
        ArgumentNullException.ThrowIfNull(imageStream);
        using (imageStream)
            return CreateFromBytes(ReadRest(imageStream));
    }

    public static MLImage CreateFromFile(string imagePath)
    {
        ArgumentNullException.ThrowIfNull(imagePath);
        PixelBuffer pixels = TryReadFile(imagePath, out byte[] file) ? ImageCodec.Decode(file) : null;
        return pixels == null ? throw new ArgumentException("Invalid path", nameof(imagePath)) : new MLImage(pixels);
    }

    public static MLImage CreateFromPixels(int width, int height, MLPixelFormat pixelFormat, ReadOnlySpan<byte> imagePixelData)
    {
        if (pixelFormat is not (MLPixelFormat.Bgra32 or MLPixelFormat.Rgba32))
            throw new ArgumentException("Unsupported pixel format", nameof(pixelFormat));
        if (width <= 0)
            throw new ArgumentException("Invalid width value.", nameof(width));
        if (height <= 0)
            throw new ArgumentException("Invalid height value.", nameof(height));
        if (imagePixelData.Length != 4L * width * height)
            throw new ArgumentException($"Invalid {nameof(imagePixelData)} buffer size.");
        PixelBuffer pixels = PixelBuffer.Create(width, height, pixelFormat, isOpaque: false);
        imagePixelData.CopyTo(pixels.Bytes);
        return new MLImage(pixels);
    }

    /// <summary>Writes a file in the format that the extension names.</summary>
    public void Save(string imagePath)
    {
        PixelBuffer pixels = Alive;
        string extension = Path.GetExtension(imagePath);
        if (!Encoders.TryGetValue(extension, out Action<PixelBuffer, string> encode))
            throw new ArgumentException("Path has invalid image file extension.", nameof(imagePath));
        if (encode == null)
        {
            throw new ArgumentException(
                $"Saving image with the format '{extension}' is not supported. Try save it with `Jpeg`, `Png`, or `Webp` format.", nameof(imagePath));
        }

        encode(pixels, imagePath);
    }

    public void Dispose()
    {
        _pixels?.Dispose();
        _pixels = null;
    }

    /// <summary>As from a stream.</summary>
    internal static MLImage CreateFromBytes(ReadOnlySpan<byte> file) =>
        new(ImageCodec.Decode(file) ?? throw new ArgumentException("Invalid input stream contents", "imageStream"));

    internal MLImage CloneWithResizing(int width, int height, ImageResizeMode mode) => new(ImageResizer.Resize(Alive, width, height, mode));

    internal MLImage CloneWithGrayscale() => new(PixelConversions.ToGrayscale(Alive));

    private static ReadOnlySpan<byte> ReadRest(Stream stream)
    {
        if (stream is MemoryStream memory && memory.TryGetBuffer(out ArraySegment<byte> whole))
            return whole.AsSpan((int)Math.Min(memory.Position, whole.Count));
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.GetBuffer().AsSpan(0, (int)copy.Length);
    }

    private static bool TryReadFile(string path, out byte[] file)
    {
        try
        {
            file = File.ReadAllBytes(path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            // What cannot be opened and what is no picture are one error to the caller.
            file = null;
            return false;
        }
    }
}
