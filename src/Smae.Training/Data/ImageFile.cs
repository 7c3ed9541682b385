using System.IO.MemoryMappedFiles;

namespace Smae.Training;

/// <summary>
/// A file of bytes that are written one after the other and mapped into memory to be read. They are written as files are, not through the mapping: a
/// full disk is then an error, and not the end of the process.
/// </summary>
internal sealed class ImageFile : IDisposable
{
    private readonly FileStream _stream;
    private readonly List<MemoryMappedViewAccessor> _views = [];

    private ImageFile(string path, FileStream stream) => (Path, _stream, Length) = (path, stream, stream.Length);

    /// <summary>The file's path. A temporary file may have no name any more.</summary>
    public string Path { get; }

    /// <summary>Whether it is being written; not once it is disposed or was opened to be read.</summary>
    public bool IsWritable => _stream.CanWrite;

    /// <summary>Bytes in it.</summary>
    public long Length { get; private set; }

    /// <summary>A new file that is gone with this object.</summary>
    /// <param name="directory">Its folder, which is made if it is not there.</param>
    /// <exception cref="IOException">It cannot be made.</exception>
    public static ImageFile CreateTemporary(string directory)
    {
        Directory.CreateDirectory(directory);
        string path = System.IO.Path.Combine(directory, $"smae-{Guid.NewGuid():N}.images.tmp");
        bool keepsName = OperatingSystem.IsWindows();
        FileStream stream = Stream(path, FileMode.CreateNew, FileShare.None, keepsName ? FileOptions.DeleteOnClose : FileOptions.None);
        if (!keepsName) File.Delete(path);   // what is open stays until it is closed, by whatever ends the process
        return new ImageFile(path, stream);
    }

    /// <summary>A file of a name to be written; what a stopped run left under it is thrown away.</summary>
    /// <returns>Null where another run is writing it.</returns>
    /// <exception cref="IOException">Its folder cannot be made.</exception>
    public static ImageFile? TryCreate(string path)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        try
        {
            FileStream stream = Stream(path, FileMode.OpenOrCreate, FileShare.None, FileOptions.None);
            stream.SetLength(0);
            return new ImageFile(path, stream);
        }
        catch (IOException) when (File.Exists(path))
        {
            return null;
        }
    }

    /// <summary>A file that is there, to be read.</summary>
    /// <param name="temporary">Whether it is deleted with this object.</param>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static ImageFile Open(string path, bool temporary = false) => new(path, new FileStream(
        path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 0, temporary ? FileOptions.DeleteOnClose : FileOptions.None));

    /// <summary>Writes at the end.</summary>
    /// <exception cref="IOException">The disk is full, say; the message names the file.</exception>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        try
        {
            RandomAccess.Write(_stream.SafeFileHandle, bytes, Length);
        }
        catch (IOException e)
        {
            throw new IOException(
                $"{Path}: {Length + bytes.Length} bytes of decoded images cannot be written: {e.Message} ImageCacheOptions names another folder or a "
                + "larger memory budget.", e);
        }
        Length += bytes.Length;
    }

    /// <summary>Sees to it that what was written outlives a crash of the machine.</summary>
    public void Flush() => RandomAccess.FlushToDisk(_stream.SafeFileHandle);

    /// <summary>Reads into a buffer, all of it.</summary>
    /// <exception cref="EndOfStreamException">The file ends before.</exception>
    public void Read(long offset, Span<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            int read = RandomAccess.Read(_stream.SafeFileHandle, bytes, offset);
            if (read == 0) throw new EndOfStreamException($"{Path} ends at byte {offset}.");
            bytes = bytes[read..];
            offset += read;
        }
    }

    /// <summary>Maps a part of the file, to be read until this object is disposed.</summary>
    /// <returns>Where it begins in memory.</returns>
    public nint Map(long offset, long length)
    {
        using var file = MemoryMappedFile.CreateFromFile(
            _stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        MemoryMappedViewAccessor view = file.CreateViewAccessor(offset, length, MemoryMappedFileAccess.Read);
        _views.Add(view);
        return view.SafeMemoryMappedViewHandle.DangerousGetHandle() + (nint)view.PointerOffset;
    }

    // No finaliser: stream and views have theirs.
    public void Dispose()
    {
        foreach (MemoryMappedViewAccessor view in _views) view.Dispose();
        _views.Clear();
        _stream.Dispose();
    }

    private static FileStream Stream(string path, FileMode mode, FileShare share, FileOptions options) =>
        new(path, mode, FileAccess.ReadWrite, share, 0, options);
}
