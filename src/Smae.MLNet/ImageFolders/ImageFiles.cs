namespace Smae.MLNet;

/// <summary>Lists the image files of a folder. Hidden files and folders are passed over.</summary>
internal static class ImageFiles
{
    /// <summary>What the name of an image file ends in, in either case.</summary>
    public static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".bmp", ".gif"];

    /// <summary>The image files directly in <paramref name="folder"/>, or in the folders below it too.</summary>
    public static IEnumerable<string> In(string folder, bool recursive)
    {
        // The default would leave out what cannot be read without a word.
        var options = new EnumerationOptions { RecurseSubdirectories = recursive, IgnoreInaccessible = false };
        return Directory.EnumerateFiles(folder, "*", options).Where(IsImage);
    }

    /// <summary>The folders directly in <paramref name="folder"/>, in ordinal order of their names.</summary>
    public static string[] FoldersIn(string folder)
    {
        string[] folders = Directory.GetDirectories(folder, "*", new EnumerationOptions { IgnoreInaccessible = false });
        Array.Sort(folders, StringComparer.Ordinal);
        return folders;
    }

    private static bool IsImage(string path) => Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);
}
