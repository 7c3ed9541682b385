using System.Buffers.Binary;
using System.Reflection;
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
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(this);
        var trailer = new byte[TrailerBytes];
        BinaryPrimitives.WriteInt64LittleEndian(trailer, json.Length);
        Signature.CopyTo(trailer.AsSpan(sizeof(long)));
        file.Append([.. json, .. trailer]);
    }

    /// <summary>Reads it from a file.</summary>
    /// <exception cref="InvalidDataException">The file is torn, or not one of decoded images.</exception>
    public static ImageCacheFooter Read(ImageFile file)
    {
        InvalidDataException Damaged(string why, Exception? inner = null) =>
            new($"{file.Path} is torn, or not a file of decoded images: {why}.", inner);
        Span<byte> trailer = stackalloc byte[TrailerBytes];
        if (file.Length < TrailerBytes) throw Damaged($"it has {file.Length} bytes");
        file.Read(file.Length - TrailerBytes, trailer);
        if (!trailer[sizeof(long)..].SequenceEqual(Signature)) throw Damaged("its signature is missing");
        long length = BinaryPrimitives.ReadInt64LittleEndian(trailer), most = Math.Min(file.Length - TrailerBytes, Array.MaxLength);
        if (length < 0 || length > most) throw Damaged($"its description has {length} bytes");
        var json = new byte[length];
        file.Read(file.Length - TrailerBytes - length, json);
        ImageCacheFooter footer;
        try
        {
            footer = JsonSerializer.Deserialize<ImageCacheFooter>(json) ?? throw Damaged("its description is empty");
        }
        catch (JsonException e)
        {
            throw Damaged(e.Message, e);
        }
        long expected = footer.PixelBytes + length + TrailerBytes;
        if (footer.Count < 1 || expected != file.Length) throw Damaged($"it has {file.Length} bytes, expected {expected} of {footer.Count} images");
        return footer;
    }
}

/// <summary>
/// Tells whether decoded images are those that are wanted: which files, in which order, brought to which size, and how these files stood when they were
/// added.
/// </summary>
internal sealed class ImageCacheKey : IDisposable
{
    private readonly IncrementalHash _names = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly IncrementalHash _stamps = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <param name="preprocessing">Size, channels and resizing of the images; mean and deviation do not matter.</param>
    public ImageCacheKey(ImagePreprocessing preprocessing)
    {
        Append(_names, $"{preprocessing.Height} {preprocessing.Width} {preprocessing.Channels} {preprocessing.Resize} {string.Join(',', preprocessing.Background.Select(v => MathF.Round(255 * v)))}");
        // Another version may decode otherwise: since the second, images stand upright.
        Append(_stamps, "2" + typeof(ImageCacheKey).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "");
    }

    /// <summary>Files that were added.</summary>
    public long Count { get; private set; }

    /// <summary>The same for the same paths and size.</summary>
    public string Name => Convert.ToHexStringLower(_names.GetCurrentHash());

    /// <summary>The same as long as no file has another length or time of last change.</summary>
    public string Stamp => Convert.ToHexStringLower(_stamps.GetCurrentHash());

    /// <summary>Adds the next file, which need not exist.</summary>
    public void Add(string path)
    {
        Span<byte> stamp = stackalloc byte[2 * sizeof(long)];
        stamp.Clear();
        if (!string.IsNullOrWhiteSpace(path))
        {
            path = Path.GetFullPath(path);
            var file = new FileInfo(path);
            if (file.Exists)
            {
                BinaryPrimitives.WriteInt64LittleEndian(stamp, file.Length);
                BinaryPrimitives.WriteInt64LittleEndian(stamp[sizeof(long)..], file.LastWriteTimeUtc.Ticks);
            }
        }
        Append(_names, path);
        _stamps.AppendData(stamp);
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
public sealed record CachedProblem(long Row, string Message);
