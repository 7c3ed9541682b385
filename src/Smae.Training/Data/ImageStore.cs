using System.ComponentModel.DataAnnotations;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Smae.Training;

/// <summary>
/// Decoded images of one size in native memory, 8 bits a channel: an image is decoded and resized once, then every epoch copies it from here.
/// What memory has no room for lies in a file that is mapped into memory. Adding is not thread-safe; reading is.
/// </summary>
public sealed unsafe class ImageStore : IDisposable
{
    private const long LargestSegment = 64L << 20, SmallestSegment = 1L << 20;
    private readonly List<nint> _segments = [];    // where each begins: in memory of our own, or in the mapped file
    private readonly List<nint> _allocated = [];   // memory of our own; the segment that is being filled lies there
    private readonly int _imageBytes;
    private readonly int _imagesPerSegment;
    private readonly long? _budget;
    private readonly string? _directory;
    private readonly ImageMemory _memory;
    private readonly bool _isWhole;                // whether all images are in the file, and none can be added
    private ImageFile? _file;
    private bool _disposed;

    /// <summary>An empty store.</summary>
    /// <param name="channels">Channels of every image. Default 3.</param>
    /// <param name="cache">How much of it may be in memory, and where the rest lies; null takes every option's default.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names every one that is.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public ImageStore(int height, int width, int channels = 3, ImageCacheOptions? cache = null) : this(height, width, channels, cache, null)
    {
    }

    /// <summary>An empty store that writes all its images to <paramref name="file"/> too, which it owns; null is none.</summary>
    internal ImageStore(int height, int width, int channels, ImageCacheOptions? cache, ImageFile? file, ImageMemory? memory = null)
    {
        cache ??= new ImageCacheOptions();
        Rules.Check(cache.Faults(), nameof(cache));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(channels);
        (Height, Width, Channels) = (height, width, channels);
        _imageBytes = checked(height * width * channels);
        (_budget, _directory, _memory) = (cache.MemoryBudget, cache.Directory, memory ?? ImageMemory.OfProcess);
        _imagesPerSegment = (int)Math.Max(1, Math.Clamp((_budget ?? _memory.Limit) / 4, SmallestSegment, LargestSegment) / _imageBytes);
        (_file, WritesAll) = (file, file is not null);
    }

    /// <summary>A store of the images of a file that was kept.</summary>
    private ImageStore(ImageFile file, ImageCacheFooter footer) : this(footer.Height, footer.Width, footer.Channels, null, file)
    {
        (Count, _isWhole) = (footer.Count, true);
        nint start = file.Map(0, footer.PixelBytes);
        for (long at = 0; at < footer.PixelBytes; at += SegmentBytes) _segments.Add(start + (nint)at);
    }

    /// <summary>Frees the memory of a store that nobody disposed.</summary>
    ~ImageStore() => FreeMemory();

    /// <summary>Height of every image in pixels.</summary>
    public int Height { get; }

    /// <summary>Width of every image in pixels.</summary>
    public int Width { get; }

    /// <summary>Channels of every image.</summary>
    public int Channels { get; }

    /// <summary>Number of images.</summary>
    public long Count { get; private set; }

    /// <summary>Bytes of memory of its own, whether full or not.</summary>
    internal long MemoryBytes => _allocated.Count * SegmentBytes;

    /// <summary>Bytes of the images that are not in memory of its own.</summary>
    internal long MappedBytes => Math.Max(0, Count * _imageBytes - MemoryBytes);

    /// <summary>Whether all images are being written to a file that is to be kept.</summary>
    internal bool WritesAll { get; private set; }

    /// <summary>Why the images are not written to their file any more, which memory has room for without it: the disk is full, say. Null if they are.</summary>
    internal string? WriteFault { get; private set; }

    private long SegmentBytes => (long)_imagesPerSegment * _imageBytes;

    /// <summary>
    /// The bytes of an image: rows from the top, in a row the pixels, in a pixel the channels (<c>[height, width, channels]</c>). They hold until an
    /// image is added.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such image.</exception>
    public ReadOnlySpan<byte> this[long index] => (ulong)index < (ulong)Count
        ? Slot(index) : throw new ArgumentOutOfRangeException(nameof(index), index, $"The store holds {Count} images.");

    /// <summary>Adds an image and gives its bytes to be filled, before the next is added, <c>[height, width, channels]</c>.</summary>
    /// <exception cref="IOException">The memory budget is used up, and the file cannot be written.</exception>
    /// <exception cref="InvalidOperationException">The images come from an earlier run's file.</exception>
    public Span<byte> Add()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_isWhole) throw new InvalidOperationException("The images come from an earlier run's file: none can be added.");
        if (Count == (long)_segments.Count * _imagesPerSegment) Grow();
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
    /// <returns><c>[indices, height, width, channels]</c>, uint8, on the CPU.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An image does not exist.</exception>
    public Tensor Batch(ReadOnlySpan<long> indices)
    {
        Tensor batch = empty([indices.Length, Height, Width, Channels], ScalarType.Byte);
        Span<byte> bytes = batch.bytes;
        for (int i = 0; i < indices.Length; i++) this[indices[i]].CopyTo(bytes.Slice(i * _imageBytes, _imageBytes));
        GC.KeepAlive(this);   // the finaliser frees what is copied from
        return batch;
    }

    /// <summary>A hash of all pixels: the same images in the same order give the same text.</summary>
    /// <param name="brief">Whether some hundreds of the images will do.</param>
    internal string ContentHash(bool brief = false)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long i = 0; i < Count; i += brief ? Math.Max(1, Count / 500) : 1) hash.AppendData(this[i]);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Opens a file that an earlier run kept; it is an <see cref="InvalidDataException"/> if it is torn or something else.</summary>
    internal static (ImageStore Store, ImageCacheFooter Footer) Open(string path, bool temporary = false)
    {
        ImageFile file = ImageFile.Open(path, temporary);
        try
        {
            ImageCacheFooter footer = ImageCacheFooter.Read(file);
            return (new ImageStore(file, footer), footer);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Completes the file that all images were written to and gives it its name, under which the next run finds it.</summary>
    /// <returns>Why the file cannot be kept; null if it is.</returns>
    internal string? Keep(string path, string stamp, IReadOnlyList<CachedProblem> broken)
    {
        ImageFile file = _file!;
        try
        {
            file.Append(Segment(_segments.Count - 1)[..(int)(Count * _imageBytes - file.Length)]);
            new ImageCacheFooter(Height, Width, Channels, Count, stamp, broken).Write(file);
            file.Flush();
        }
        catch (IOException e) when (MappedBytes == 0)
        {
            GiveUpFile(e);
            return e.Message;
        }
        file.Dispose();   // Windows renames no file that is mapped
        string? problem = null;
        try
        {
            File.Move(file.Path, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = e.Message;
        }
        _file = problem is null ? ImageFile.Open(path) : ImageFile.Open(file.Path, temporary: true);
        nint start = _file.Map(0, Count * _imageBytes);
        for (int i = 0; i < _segments.Count; i++)
            if (!_allocated.Contains(_segments[i])) _segments[i] = start + (nint)(i * SegmentBytes);
        return problem;
    }

    /// <summary>Frees the memory. A file that was to be kept and was not completed is deleted.</summary>
    public void Dispose()
    {
        FreeMemory();
        bool isTorn = WritesAll && _file is { IsWritable: true };
        _file?.Dispose();
        if (isTorn) File.Delete(_file!.Path);
        _file = null;
        GC.SuppressFinalize(this);
    }

    /// <summary>Makes room for another segment: new memory within the budget, else that of the last segment, which is then read from the file.</summary>
    private void Grow()
    {
        bool isFirst = _segments.Count == 0;
        nint memory = 0;
        if ((isFirst || _budget is null || MemoryBytes + SegmentBytes <= _budget) && _memory.Take(SegmentBytes, always: isFirst || _budget is not null))
            _allocated.Add(memory = (nint)NativeMemory.Alloc((nuint)SegmentBytes));
        try
        {
            if (!isFirst && (WritesAll || memory == 0)) (_file ??= ImageFile.CreateTemporary(_directory)).Append(Segment(_segments.Count - 1));
        }
        catch (IOException e) when (WritesAll && memory != 0 && MappedBytes == 0)
        {
            GiveUpFile(e);
        }
        if (memory == 0) (memory, _segments[^1]) = (_segments[^1], _file!.Map(_file.Length - SegmentBytes, SegmentBytes));
        _segments.Add(memory);
    }

    /// <summary>Goes on in memory alone.</summary>
    private void GiveUpFile(IOException why)
    {
        _file!.Dispose();
        File.Delete(_file.Path);
        (_file, WritesAll, WriteFault) = (null, false, why.Message);
    }

    private Span<byte> Segment(int index) => new((void*)_segments[index], (int)SegmentBytes);

    private Span<byte> Slot(long index)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        (long segment, long place) = Math.DivRem(index, _imagesPerSegment);
        return new Span<byte>((byte*)_segments[(int)segment] + place * _imageBytes, _imageBytes);
    }

    private void FreeMemory()
    {
        _disposed = true;
        _memory?.Give(MemoryBytes);
        foreach (nint memory in _allocated) NativeMemory.Free((void*)memory);
        _allocated.Clear();
        _segments.Clear();
    }
}

/// <summary>Where decoded images lie: in memory up to a budget, beyond it in a file that is mapped into memory, for data that memory cannot hold.</summary>
public sealed record ImageCacheOptions
{
    /// <summary>
    /// Bytes of decoded images that one store holds in memory of its own, in blocks of up to 64 MiB, at least one; the rest lies in the file, of which
    /// the system keeps in memory what it has room for. An image takes <see cref="ImagePreprocessing.ByteCount"/> bytes: 12 KiB at 64x64, 147 KiB at
    /// 224x224. Training and validation images are two stores. Default null: all stores of the process together hold at most half of the memory of the
    /// machine, or of what the process may take.
    /// </summary>
    [Range(0, double.MaxValue)]
    public long? MemoryBudget { get; init; }

    /// <summary>
    /// The folder of the file; it is made if it is not there. Where images are read from a column of paths, all of them are written to it, and the
    /// next run decodes nothing if it reads the same files in the same order, none of them with another size or time of last change, and brings
    /// them to the same size. A file that could not be read is tried again. One file is kept for each list of paths and size; nothing deletes them but
    /// you. Default null: nothing is kept, and the file lies in the system's folder for temporary files, or, where that is in memory (tmpfs), in
    /// <c>/var/tmp</c> or the user's folder for local application data.
    /// </summary>
    public string? Directory { get; init; }

    /// <summary>Checks the options.</summary>
    /// <exception cref="ArgumentException">An option is out of range: the message names every one that is.</exception>
    public void Validate() => Rules.Check(Faults(), nameof(ImageCacheOptions));

    internal IEnumerable<string> Faults()
    {
        foreach (string fault in Rules.Faults(this, "ImageCache.")) yield return fault;
        if (Directory is not null && string.IsNullOrWhiteSpace(Directory)) yield return "ImageCache.Directory is blank: expected a folder, or null.";
    }
}

/// <summary>Counts the memory of all stores of decoded images, which those without a budget of their own share.</summary>
internal sealed class ImageMemory(long limit)
{
    private long _taken;

    public static ImageMemory OfProcess { get; } = new(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2);

    public long Limit => limit;

    /// <summary>Takes so many bytes if they are left, or, where they are needed in any case, <paramref name="always"/>.</summary>
    public bool Take(long bytes, bool always)
    {
        if (Interlocked.Add(ref _taken, bytes) <= limit || always) return true;
        Give(bytes);
        return false;
    }

    public void Give(long bytes) => Interlocked.Add(ref _taken, -bytes);
}
