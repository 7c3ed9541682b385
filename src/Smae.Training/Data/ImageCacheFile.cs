using System.Buffers.Binary;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Smae.Training;

/// <summary>What stands at the end of a file of decoded images: pixels first, then this as JSON, the length of that JSON, a signature.</summary>
/// <param name="Stamp">Sizes and times of the files that they were decoded from, see <see cref="ImageCacheKey.Stamp"/>.</param>
internal sealed record ImageCacheFooter(int Height, int Width, int Channels, long Count, string Stamp, IReadOnlyList<CachedProblem> Broken)
{
    private const int TrailerBytes = sizeof(long) + 8;

    private static ReadOnlySpan<byte> Signature => "SMAEIMG1"u8;

    /// <summary>Bytes of all images.</summary>
    public long PixelBytes => Count * Height * Width * Channels;

    /// <summary>Writes it at the end of a file that holds the pixels.</summary>
    public void Write(ImageFile file)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(this), length = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        file.Append([.. json, .. length, .. Signature]);
    }

    /// <summary>Reads it from a file.</summary>
    /// <exception cref="InvalidDataException">The file is torn, or not one of decoded images.</exception>
    public static ImageCacheFooter Read(ImageFile file)
    {
        InvalidDataException Damaged(string why, Exception? inner = null) => new($"{file.Path} is torn, or not a file of decoded images: {why}.", inner);
        Span<byte> trailer = stackalloc byte[TrailerBytes];
        if (file.Length < TrailerBytes) throw Damaged($"it has {file.Length} bytes");
        file.Read(file.Length - TrailerBytes, trailer);
        if (!trailer[sizeof(long)..].SequenceEqual(Signature)) throw Damaged("its signature is missing");
        long length = BinaryPrimitives.ReadInt64LittleEndian(trailer);
        if (length < 0 || length > Math.Min(file.Length - TrailerBytes, Array.MaxLength)) throw Damaged($"its description has {length} bytes");
        var json = new byte[length];
        file.Read(file.Length - TrailerBytes - length, json);
        try
        {
            ImageCacheFooter footer = JsonSerializer.Deserialize<ImageCacheFooter>(json) ?? throw new JsonException("its description is empty");
            long expected = checked(footer.Count * footer.Height * footer.Width * footer.Channels + length + TrailerBytes);
            return footer is { Count: > 0, Height: > 0, Width: > 0, Channels: > 0, Broken: { } broken } && expected == file.Length
                && broken.Select(b => b?.Row).Distinct().Count(row => row >= 0 && row < footer.Count + broken.Count) == broken.Count
                ? footer : throw Damaged($"it has {file.Length} bytes, expected {expected} of {footer.Count} images");
        }
        catch (Exception e) when (e is JsonException or OverflowException)
        {
            throw Damaged(e.Message, e);
        }
    }
}

/// <summary>Tells whether decoded images are those that are wanted: which files, in which order, brought to which size, and how these files stood then.</summary>
internal sealed class ImageCacheKey : IDisposable
{
    private readonly IncrementalHash _names = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly IncrementalHash _stamps = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <param name="preprocessing">Size, channels and resizing of the images; mean and deviation do not matter.</param>
    public ImageCacheKey(ImagePreprocessing preprocessing)
    {
        string orientation = preprocessing.Orientation == ImageOrientation.Upright ? "" : $" {preprocessing.Orientation}";
        string ground = string.Join(',', preprocessing.Background.Select(v => MathF.Round(255 * v)));
        Append(_names, $"{preprocessing.Height} {preprocessing.Width} {preprocessing.Channels} {preprocessing.Resize}{orientation} {ground}");
        // Another version may decode otherwise: since the second, images stand upright; since the third, large JPEGs are decoded at a reduced size; since the
        // fourth, PNG and WebP are turned too.
        Append(_stamps, "4" + (typeof(ImageCacheKey).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? ""));
    }

    public long Count { get; private set; }

    /// <summary>The same for the same paths and size.</summary>
    public string Name => Convert.ToHexStringLower(_names.GetCurrentHash());

    /// <summary>The same as long as no file has another length or time of last change.</summary>
    public string Stamp => Convert.ToHexStringLower(_stamps.GetCurrentHash());

    /// <summary>Adds the next file, which need not exist.</summary>
    public void Add(string path)
    {
        if (!string.IsNullOrWhiteSpace(path)) path = Path.GetFullPath(path);
        var file = string.IsNullOrWhiteSpace(path) ? null : new FileInfo(path);
        ReadOnlySpan<long> stamp = file is { Exists: true } ? [file.Length, file.LastWriteTimeUtc.Ticks] : [0, 0];
        Append(_names, path);
        _stamps.AppendData(MemoryMarshal.AsBytes(stamp));
        Count++;
    }

    public void Dispose()
    {
        _names.Dispose();
        _stamps.Dispose();
    }

    private static void Append(IncrementalHash hash, string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + '\0'));
}

/// <summary>An image that could not be read.</summary>
/// <param name="Row">Its place in the list of paths.</param>
/// <param name="Message">What is wrong with it.</param>
/// <param name="UnreadPath">The file where it could not be read, which says nothing of its content; null where the content is no image.</param>
public sealed record CachedProblem(long Row, string Message, string? UnreadPath = null);
