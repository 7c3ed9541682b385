namespace Smae.MLNet;

/// <summary>Tells images from other files by their names.</summary>
public static class ImageFiles
{
    // Pictures to a person, and nothing that Skia decodes.
    private static readonly string[] s_others =
    [
        ".tif", ".tiff", ".heic", ".heif", ".avif", ".jxl", ".jp2", ".j2k", ".jpx", ".svg", ".psd", ".tga", ".ppm", ".pgm", ".pbm", ".pnm", ".exr", ".hdr",
        ".dcm", ".pcx",
    ];

    /// <summary>What the name of an image file ends in, in any case: the formats that SkiaSharp, which ML.NET decodes images with, reads.</summary>
    public static IReadOnlyList<string> Extensions { get; } =
    [
        ".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".jfif", ".jpe", ".jif", ".jfi", ".pjpeg", ".pjp", ".mpo", ".apng", ".dib", ".ico", ".cur", ".wbmp",
        ".dng", ".arw", ".cr2", ".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".srw",
    ];

    /// <summary>Whether the name of a file ends in one of <see cref="Extensions"/>.</summary>
    public static bool IsImage(string path) => Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether it is an image of a format that cannot be decoded.</summary>
    internal static bool IsOtherImage(string path) => s_others.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);
}

/// <summary>A folder as a person sees it: its images, and the folders that hold some. Hidden files, and those of archivers and file servers, are passed over.</summary>
internal sealed class ImageTree
{
    private static readonly EnumerationOptions s_all = new() { IgnoreInaccessible = false };   // the default leaves out what cannot be read, without a word

    private ImageTree(string path, List<string> others)
    {
        (Path, Others) = (path, others);
        foreach (string file in Directory.EnumerateFiles(path, "*", s_all).Where(IsSeen).Order(StringComparer.Ordinal))
            if (ImageFiles.IsImage(file)) Images.Add(file);
            else if (ImageFiles.IsOtherImage(file)) others.Add(file);
        foreach (string folder in Directory.EnumerateDirectories(path, "*", s_all).Where(IsSeen).Order(StringComparer.Ordinal))
        {
            // A link to a folder that it lies in would never end.
            if (new DirectoryInfo(folder).ResolveLinkTarget(true)?.FullName is { } target && $"{folder}/".StartsWith($"{target.TrimEnd('/')}/", StringComparison.Ordinal)) continue;
            var tree = new ImageTree(folder, others);
            (tree.Count > 0 ? Folders : Empty).Add(tree);
        }
        Count = Images.Count + Folders.Sum(f => f.Count);
    }

    public string Path { get; }

    public string Name => System.IO.Path.GetFileName(Path);

    public List<string> Images { get; } = [];

    /// <summary>Folders in it with images at any depth, in ordinal order.</summary>
    public List<ImageTree> Folders { get; } = [];

    public List<ImageTree> Empty { get; } = [];

    /// <summary>Images that cannot be decoded, of the whole tree.</summary>
    public List<string> Others { get; }

    /// <summary>How many <see cref="All"/> are.</summary>
    public int Count { get; }

    public static ImageTree Of(string path) => new(path, []);

    /// <summary>The images at any depth.</summary>
    public IEnumerable<string> All() => Images.Concat(Folders.SelectMany(f => f.All()));

    private static bool IsSeen(string path) => System.IO.Path.GetFileName(path) is not (['.', ..] or "__MACOSX" or "@eaDir");
}
