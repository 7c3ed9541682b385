using System.Buffers.Binary;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace Smae.Training;

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
        Append(_names, $"{preprocessing.Height} {preprocessing.Width} {preprocessing.Channels} {preprocessing.Resize}");
        // Another version may decode otherwise.
        Append(_stamps, typeof(ImageCacheKey).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "");
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
