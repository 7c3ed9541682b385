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

    public string Path { get; }

    public long Length { get; private set; }

    /// <summary>Whether it is being written; not once it is disposed or was opened to be read.</summary>
    public bool IsWritable => _stream.CanWrite;

    /// <summary>A new file that is gone with this object, in a folder that is made if it is not there; null is the first of <see cref="FoldersOnDisk"/>.</summary>
    /// <param name="shared">Whether other processes open it by its name, which it then keeps until somebody deletes it.</param>
    public static ImageFile CreateTemporary(string? directory, bool shared = false)
    {
        foreach (string folder in directory is null ? FoldersOnDisk() : [])
            try
            {
                return CreateTemporary(folder, shared);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // it cannot be written to: the next one, and at last the system's own, whatever that lies on
            }
        directory ??= System.IO.Path.GetTempPath();
        Directory.CreateDirectory(directory);
        string path = System.IO.Path.Combine(directory, $"smae-{Guid.NewGuid():N}.images.tmp");
        bool keepsName = OperatingSystem.IsWindows();
        if (shared) return new ImageFile(path, new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, 0));
        FileStream stream = Stream(path, FileMode.CreateNew, keepsName ? FileOptions.DeleteOnClose : FileOptions.None);
        if (!keepsName) File.Delete(path);   // what is open stays until it is closed, by whatever ends the process
        return new ImageFile(path, stream);
    }

    /// <summary>Where temporary files may lie and take no memory, as they often do in the system's own folder for them.</summary>
    public static IEnumerable<string> FoldersOnDisk() =>
        new[] { System.IO.Path.GetTempPath(), "/var/tmp", Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData) }
            .Where(f => Directory.Exists(f) && IsOnDisk(f));

    /// <summary>Whether a folder lies on a disk, as far as the system tells.</summary>
    public static bool IsOnDisk(string folder)
    {
        try
        {
            return !OperatingSystem.IsLinux() || new DriveInfo(folder).DriveFormat is not ("tmpfs" or "ramfs" or "devtmpfs");   // elsewhere none is
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    /// <summary>A file of a name to be written; what a stopped run left under it is thrown away.</summary>
    /// <returns>Null where another run is writing it; all else that stands in the way is an exception.</returns>
    public static ImageFile? TryCreate(string path)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        try
        {
            FileStream stream = Stream(path, FileMode.OpenOrCreate, FileOptions.None);
            stream.SetLength(0);
            return new ImageFile(path, stream);
        }
        catch (IOException e) when (IsHeld(e))
        {
            return null;
        }
    }

    /// <summary>A file that is there, to be read, and deleted with this object if it is temporary.</summary>
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
            string advice = "ImageCacheOptions names another folder or a larger memory budget.";
            throw new IOException($"{Path}: {Length + bytes.Length} bytes of decoded images cannot be written: {e.Message} {advice}", e);
        }
        Length += bytes.Length;
    }

    /// <summary>Writes over what is there.</summary>
    public void Write(long offset, ReadOnlySpan<byte> bytes) => RandomAccess.Write(_stream.SafeFileHandle, bytes, offset);

    /// <summary>Takes over what others have written: so many bytes, after which <see cref="Append"/> goes on.</summary>
    public void Complete(long length)
    {
        _stream.SetLength(length);
        Length = length;
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
        using var file = MemoryMappedFile.CreateFromFile(_stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
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

    private static FileStream Stream(string path, FileMode mode, FileOptions options) => new(path, mode, FileAccess.ReadWrite, FileShare.None, 0, options);

    // Windows: ERROR_SHARING_VIOLATION and ERROR_LOCK_VIOLATION; elsewhere .NET gives EWOULDBLOCK of flock, 11 on Linux, 35 on macOS.
    private static bool IsHeld(IOException e) => OperatingSystem.IsWindows() ? (e.HResult & 0xFFFF) is 32 or 33 : e.HResult is 11 or 35;
}
