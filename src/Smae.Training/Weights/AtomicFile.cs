using System.Security.Cryptography;
using System.Text;

namespace Smae.Training;

/// <summary>Writes files so that whoever looks sees the old ones or the whole new ones, even after a crash.</summary>
public static class AtomicFile
{
    /// <summary>
    /// Writes to temporary names beside the targets, syncs, renames in order; folders are made. On failure the temporary files are removed and the targets
    /// are as they were.
    /// </summary>
    internal static void Write(params ReadOnlySpan<(string Path, Action<Stream> Write)> files)
    {
        string[] targets = new string[files.Length], temporary = new string[files.Length], old = new string[files.Length];
        int renamed = 0;
        try
        {
            for (int i = 0; i < files.Length; i++)
            {
                targets[i] = TargetOf(files[i].Path);
                (temporary[i], old[i]) = ($"{targets[i]}.{Guid.NewGuid():N}.tmp", $"{targets[i]}.{Guid.NewGuid():N}.old.tmp");
                Directory.CreateDirectory(Path.GetDirectoryName(targets[i])!);
                using var stream = new FileStream(temporary[i], FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 16);
                // Who may read the file that is replaced may read the new one, and nobody else, from its first byte on.
                if (!OperatingSystem.IsWindows() && File.Exists(targets[i])) File.SetUnixFileMode(stream.SafeFileHandle, File.GetUnixFileMode(targets[i]));
                files[i].Write(stream);
                stream.Flush(flushToDisk: true);
            }
            for (; renamed < targets.Length; renamed++)
            {
                if (renamed < targets.Length - 1 && File.Exists(targets[renamed])) File.Copy(targets[renamed], old[renamed]);
                File.Move(temporary[renamed], targets[renamed], overwrite: true);
            }
        }
        catch
        {
            for (int i = 0; i < renamed; i++)
                if (File.Exists(old[i])) File.Move(old[i], targets[i], overwrite: true);
                else File.Delete(targets[i]);
            foreach (string? path in temporary)
                if (path is not null) File.Delete(path);
            throw;
        }
        finally
        {
            foreach (string? path in old)
                if (path is not null) File.Delete(path);
        }
    }

    /// <summary>
    /// Writes to a temporary name beside the target, syncs, renames; the folder is made. On failure the target is as it was. A link stays one: the file that it
    /// leads to is replaced. A file that is replaced keeps its permissions.
    /// </summary>
    /// <param name="write">Writes the content; what it throws is thrown on.</param>
    /// <exception cref="IOException">The disk is full, the folder cannot be made, or the path is that of a device.</exception>
    public static void Write(string path, Action<Stream> write) => Write((path, write));

    /// <summary>The file that is to be replaced: a name that is a link would else become a file, and what it leads to would stay as it is.</summary>
    private static string TargetOf(string path)
    {
        const string devices = "/dev/";
        string full = Path.GetFullPath(path);
        // For root a file would take the place of /dev/null, for all programs.
        if (!OperatingSystem.IsWindows() && full.StartsWith(devices, StringComparison.Ordinal) && !full.StartsWith($"{devices}shm/", StringComparison.Ordinal))
            throw new IOException($"{path} lies among the devices in /dev: expected the name of a file.");
        return new FileInfo(full) is { LinkTarget: not null } link ? link.ResolveLinkTarget(returnFinalTarget: true)!.FullName : full;
    }
}

/// <summary>A SHA-256 of tensors: their names, types, shapes and numbers.</summary>
internal static class TensorHash
{
    public static string Of(IEnumerable<(string Name, Tensor Tensor)> tensors, string text = "")
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(text));
        foreach ((string name, Tensor tensor) in tensors)
        {
            using DisposeScope scope = NewDisposeScope();
            hash.AppendData(Encoding.UTF8.GetBytes($"|{name}:{tensor.dtype}[{string.Join(',', tensor.shape)}]"));
            hash.AppendData(tensor.detach().cpu().contiguous().bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
