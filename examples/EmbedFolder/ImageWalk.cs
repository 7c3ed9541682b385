using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Smae.MLNet;

namespace EmbedFolder;

/// <summary>An image file as a row; ML.NET makes a column of each property.</summary>
internal sealed class ImageRow
{
    public string ImagePath { get; set; } = "";

    /// <summary>The name of the folder that it lies in; empty for an image right in the folder that is embedded.</summary>
    public string Label { get; set; } = "";
}

/// <summary>The images of a folder that fall to one part and are not embedded yet. Only the names of one folder at a time are in memory.</summary>
internal sealed class ImageWalk(string root, Part part)
{
    private static readonly EnumerationOptions s_all = new() { IgnoreInaccessible = false };   // what cannot be read is an error, not left out

    private readonly HashSet<UInt128> _done = [];   // 16 bytes an image, whatever its path

    /// <summary>Takes an image for embedded.</summary>
    /// <returns>Whether it was not yet.</returns>
    public bool Done(string path) => _done.Add(Hash(path));

    /// <summary>The images that are left, folder by folder, in ordinal order. Hidden files and folders, and links to folders, are passed over.</summary>
    public IEnumerable<ImageRow> Left() => Under(root, "");

    private IEnumerable<ImageRow> Under(string folder, string label)
    {
        foreach (string file in Directory.EnumerateFiles(folder, "*", s_all).Where(file => IsSeen(file) && ImageFiles.IsImage(file)).Order(StringComparer.Ordinal))
        {
            UInt128 hash = Hash(file);
            if ((int)(hash % (UInt128)part.Count) == part.Index && !_done.Contains(hash)) yield return new ImageRow { ImagePath = file, Label = label };
        }
        foreach (string inner in Directory.EnumerateDirectories(folder, "*", s_all).Where(IsSeen).Order(StringComparer.Ordinal))
            if (new DirectoryInfo(inner).LinkTarget is null)
                foreach (ImageRow row in Under(inner, Path.GetFileName(inner).Normalize())) yield return row;   // a name from macOS is written as elsewhere
    }

    private static bool IsSeen(string path) => Path.GetFileName(path) is not (['.', ..] or "__MACOSX" or "@eaDir");

    private static UInt128 Hash(string path) => BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(path)));
}
