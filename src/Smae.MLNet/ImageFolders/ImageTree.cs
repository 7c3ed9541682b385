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

    /// <summary>
    /// The length of a file, or of the one that it links to. A pipe, which would be waited for when opened, and a device, which may never end, have none: 0.
    /// </summary>
    /// <exception cref="IOException">There is no such file, or links lead nowhere.</exception>
    internal static long LengthOf(string path) => ((FileInfo?)File.ResolveLinkTarget(path, returnFinalTarget: true) ?? new FileInfo(path)).Length;

    /// <summary>Whether a file begins as a JPEG, PNG, WebP, GIF or BMP does, whatever its name; false where it cannot be read.</summary>
    internal static bool HoldsImage(string path)
    {
        Span<byte> start = stackalloc byte[14];
        try
        {
            if (LengthOf(path) < start.Length) return false;
            using var file = File.OpenHandle(path);
            if (RandomAccess.Read(file, start, 0) < start.Length) return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
        return start switch
        {
            [0xFF, 0xD8, 0xFF, ..] or [0x89, (byte)'P', (byte)'N', (byte)'G', ..] or [(byte)'G', (byte)'I', (byte)'F', (byte)'8', ..] => true,
            [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] => true,
            [(byte)'B', (byte)'M', _, _, _, _, 0, 0, 0, 0, ..] => true,
            _ => false,
        };
    }
}

/// <summary>A folder as a person sees it: its images, and the folders that hold some. Hidden files, and those of archivers and file servers, are passed over.</summary>
internal sealed class ImageTree
{
    private static readonly EnumerationOptions s_all = new() { IgnoreInaccessible = false };   // the default leaves out what cannot be read, without a word

    /// <param name="places">Where the folder and those that it was come to through really lie, without links.</param>
    private ImageTree(string path, string[] places, List<string> others, List<string> misnamed)
    {
        (Path, Others, Misnamed) = (path, others, misnamed);
        List<string> unknown = [];
        foreach (string file in Directory.EnumerateFiles(path, "*", s_all).Where(IsSeen).Order(StringComparer.Ordinal))
            (ImageFiles.IsImage(file) ? Images : ImageFiles.IsOtherImage(file) ? others : unknown).Add(file);
        // Where the first file of an ending is no image, the others are not looked at: many sets have a text beside each image.
        foreach (var ending in unknown.GroupBy(System.IO.Path.GetExtension))
            if (ImageFiles.HoldsImage(ending.First())) misnamed.AddRange(ending.Where(ImageFiles.HoldsImage));
        foreach (string folder in Directory.EnumerateDirectories(path, "*", s_all).Where(IsSeen).Order(StringComparer.Ordinal))
        {
            string place = System.IO.Path.Combine(places[^1], System.IO.Path.GetFileName(folder));
            place = new DirectoryInfo(place).ResolveLinkTarget(true)?.FullName.TrimEnd('/') ?? place;
            // A link to a folder that one came through would never end.
            if (places.Any(p => $"{p}/".StartsWith($"{place}/", StringComparison.Ordinal))) continue;
            var tree = new ImageTree(folder, [.. places, place], others, misnamed);
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

    /// <summary>Files of the whole tree that hold an image by their content, and not by their name.</summary>
    public List<string> Misnamed { get; }

    /// <summary>How many <see cref="All"/> are.</summary>
    public int Count { get; }

    public static ImageTree Of(string path) => new(path, [new DirectoryInfo(path).ResolveLinkTarget(true)?.FullName.TrimEnd('/') ?? path], [], []);

    /// <summary>The images at any depth.</summary>
    public IEnumerable<string> All() => Images.Concat(Folders.SelectMany(f => f.All()));

    private static bool IsSeen(string path) => System.IO.Path.GetFileName(path) is not (['.', ..] or "__MACOSX" or "@eaDir");
}
