namespace Smae.Training;

/// <summary>Writes files so that whoever looks sees the old one or the whole new one, even after a crash.</summary>
public static class AtomicFile
{
    /// <summary>Writes to a temporary name beside the target, syncs, renames. On failure the temporary file is removed and the target untouched.</summary>
    /// <param name="path">The file; its folder must be there.</param>
    /// <param name="write">Writes the content; what it throws is thrown on.</param>
    /// <exception cref="IOException">The folder is missing, or the disk is full.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        string full = Path.GetFullPath(path);
        string temporary = $"{full}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, full, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
