namespace Smae.MLNet;

/// <summary>A part of an image data set on disk.</summary>
public enum ImageFolderSplit
{
    /// <summary>Every labelled image there is, of all splits. The default.</summary>
    All,

    /// <summary>The images to train on.</summary>
    Train,

    /// <summary>The images to choose settings by.</summary>
    Validation,

    /// <summary>The images to report results on.</summary>
    Test,
}

/// <summary>A row of an image folder; ML.NET makes a column of each property.</summary>
internal sealed class ImageFolderRow
{
    public string ImagePath { get; set; } = "";

    public string Label { get; set; } = "";
}

/// <summary>Lists the images of a folder: splits, class folders, images alone, and what <see cref="DatasetLayout"/> knows.</summary>
internal static class ImageFolder
{
    // What the name of an image file ends in, in either case.
    private static readonly string[] s_extensions = [".jpg", ".jpeg", ".png", ".bmp", ".gif"];

    private static readonly (ImageFolderSplit Split, string[] Names)[] s_splitFolders =
    [
        (ImageFolderSplit.Train, ["train"]),
        (ImageFolderSplit.Validation, ["val", "valid", "validation"]),
        (ImageFolderSplit.Test, ["test"]),
    ];

    /// <summary>The images of <paramref name="split"/>, in ordinal order of their paths.</summary>
    public static List<ImageFolderRow> List(string path, ImageFolderSplit split)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        if (!Enum.IsDefined(split))
            throw new ArgumentOutOfRangeException(
                nameof(split), split, $"Unknown split: expected one of {string.Join(", ", Enum.GetNames<ImageFolderSplit>())}.");
        string root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (!Directory.Exists(root))
            throw new DirectoryNotFoundException($"The image folder '{path}' does not exist{(path == root ? "" : $" (looked for '{root}')")}.");

        List<ImageFolderRow> rows = [.. LayoutOf(root) is { Split: null } layout ? layout.Read(root, split) : Read(root, split)];
        if (rows.Count == 0)
            throw new InvalidDataException(
                $"No images found in '{root}'{(split == ImageFolderSplit.All ? "" : $" for the split {split}")}: " +
                $"looked for files ending in {string.Join(", ", s_extensions)}.");
        // The same order on every system, whatever separates its folders.
        rows.Sort((a, b) => string.CompareOrdinal(a.ImagePath.Replace('\\', '/'), b.ImagePath.Replace('\\', '/')));
        return rows;
    }

    private static IEnumerable<ImageFolderRow> Read(string root, ImageFolderSplit split)
    {
        var splits = new SortedDictionary<ImageFolderSplit, string>();
        foreach (string folder in FoldersIn(root))
        {
            if (SplitOf(folder) is { } found) splits.TryAdd(found, folder);
        }
        // A folder "train" alone may be a class; with a second split beside it, it is not.
        bool divided = splits.Count > 1 && splits.ContainsKey(ImageFolderSplit.Train);
        if (split == ImageFolderSplit.All)
        {
            if (!divided) return ReadSplit(root, split);
            List<ImageFolderRow> rows = [.. splits.SelectMany(found => ReadSplit(found.Value, found.Key))];
            // A test split whose labels are secret would only add a class of its own.
            return rows.Exists(IsLabelled) ? rows.Where(IsLabelled) : rows;
        }
        if (splits.TryGetValue(split, out string? wanted)) return ReadSplit(wanted, split);
        if (SplitOf(root) == split || LayoutOf(root)?.Split == split)
            return ReadSplit(root, split); // The folder of the split was given, not that of the data set.
        string[] names = s_splitFolders.First(known => known.Split == split).Names;
        throw new ArgumentException(
            $"'{root}' has no split {split}: expected a folder named {string.Join(" or ", names)} in it; " +
            (splits.Count == 0 ? "there is none for any split." : $"the splits there are {string.Join(", ", splits.Keys)}."), nameof(split));
    }

    /// <summary>The images of a folder that holds one split; their labels are empty where nothing tells them.</summary>
    private static IEnumerable<ImageFolderRow> ReadSplit(string folder, ImageFolderSplit split)
    {
        if (LayoutOf(folder) is { Split: not null } layout) return layout.Read(folder, split);

        string[] classes = FoldersIn(folder);
        // Some data sets hold images without labels, Tiny ImageNet's test images for one, in a folder of that name: it is not a class.
        bool unlabelled = classes is [var only] && Path.GetFileName(only) == "images";
        var labelled = classes.SelectMany(@class => ImagesIn(@class, recursive: true).Select(path => new ImageFolderRow
        {
            ImagePath = path,
            Label = unlabelled ? "" : Path.GetFileName(@class),
        })).ToList();
        return labelled.Count > 0 ? labelled : ImagesIn(folder, recursive: false).Select(path => new ImageFolderRow { ImagePath = path });
    }

    private static DatasetLayout? LayoutOf(string folder) => DatasetLayout.All.FirstOrDefault(layout => layout.IsOne(folder));

    private static bool IsLabelled(ImageFolderRow row) => row.Label.Length > 0;

    private static ImageFolderSplit? SplitOf(string folder) => s_splitFolders
        .Where(known => known.Names.Contains(Path.GetFileName(folder), StringComparer.OrdinalIgnoreCase))
        .Select(known => (ImageFolderSplit?)known.Split).FirstOrDefault();

    // Hidden files and folders are passed over; the default would leave out what cannot be read, without a word.
    private static IEnumerable<string> ImagesIn(string folder, bool recursive) =>
        Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = recursive, IgnoreInaccessible = false })
            .Where(path => s_extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase));

    private static string[] FoldersIn(string folder) =>
        [.. Directory.GetDirectories(folder, "*", new EnumerationOptions { IgnoreInaccessible = false }).Order(StringComparer.Ordinal)];
}
