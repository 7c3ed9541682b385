namespace Smae.MLNet;

/// <summary>Recognises how an image data set is laid out on disk and lists its images.</summary>
internal static class ImageFolder
{
    private static readonly (ImageFolderSplit Split, string[] Names)[] SplitFolders =
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
        {
            throw new ArgumentOutOfRangeException(
                nameof(split), split, $"Unknown split: expected one of {string.Join(", ", Enum.GetNames<ImageFolderSplit>())}.");
        }
        string root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (!Directory.Exists(root))
            throw new DirectoryNotFoundException($"The image folder '{path}' does not exist{(path == root ? "" : $" (looked for '{root}')")}.");

        List<ImageFolderRow> rows = [.. CubFolder.IsOne(root) ? CubFolder.Read(root, split) : Read(root, split)];
        if (rows.Count == 0)
        {
            throw new InvalidDataException(
                $"No images found in '{root}'{(split == ImageFolderSplit.All ? "" : $" for the split {split}")}: " +
                $"looked for files ending in {string.Join(", ", ImageFiles.Extensions)}.");
        }
        // The same order on every system, whatever separates its folders.
        rows.Sort((a, b) => string.CompareOrdinal(a.ImagePath.Replace('\\', '/'), b.ImagePath.Replace('\\', '/')));
        return rows;
    }

    private static IEnumerable<ImageFolderRow> Read(string root, ImageFolderSplit split)
    {
        var splits = FindSplits(root);
        // A folder "train" alone may be a class; with a second split beside it, it is not.
        bool divided = splits.Count > 1 && splits.ContainsKey(ImageFolderSplit.Train);
        if (split == ImageFolderSplit.All)
        {
            if (!divided)
                return LabelledFolder.Read(root);
            List<ImageFolderRow> rows = [.. splits.Values.SelectMany(LabelledFolder.Read)];
            // A test split whose labels are secret would only add a class of its own.
            return rows.Exists(IsLabelled) ? rows.Where(IsLabelled) : rows;
        }
        if (splits.TryGetValue(split, out string? folder))
            return LabelledFolder.Read(folder);
        if (SplitOf(root) == split || (split == ImageFolderSplit.Validation && LabelledFolder.IsAnnotated(root)))
            return LabelledFolder.Read(root); // The folder of the split was given, not that of the data set.
        string[] names = SplitFolders.First(known => known.Split == split).Names;
        throw new ArgumentException(
            $"'{root}' has no split {split}: expected a folder named {string.Join(" or ", names)} in it; " +
            (splits.Count == 0 ? "there is none for any split." : $"the splits there are {string.Join(", ", splits.Keys)}."), nameof(split));
    }

    private static bool IsLabelled(ImageFolderRow row) => row.Label.Length > 0;

    private static SortedDictionary<ImageFolderSplit, string> FindSplits(string root)
    {
        var found = new SortedDictionary<ImageFolderSplit, string>();
        foreach (string folder in ImageFiles.FoldersIn(root))
        {
            if (SplitOf(folder) is { } split)
                found.TryAdd(split, folder);
        }
        return found;
    }

    private static ImageFolderSplit? SplitOf(string folder)
    {
        foreach (var (split, names) in SplitFolders)
        {
            if (names.Contains(Path.GetFileName(folder), StringComparer.OrdinalIgnoreCase))
                return split;
        }
        return null;
    }
}
