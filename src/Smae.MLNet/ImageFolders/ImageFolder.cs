using System.Text.RegularExpressions;

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

    /// <summary>In Unicode's composed form: macOS writes the names of folders in another, which the same set's copy elsewhere has not.</summary>
    public string Label { get; set => field = Composed(value); } = "";

    /// <summary>A name as most systems write it; as it is where it is no valid Unicode.</summary>
    public static string Composed(string name)
    {
        try { return name.Normalize(); }
        catch (ArgumentException) { return name; }
    }
}

/// <summary>Lists the images of a folder: splits, class folders, images alone, and what <see cref="DatasetLayout"/> knows.</summary>
/// <param name="warn">Told what is left out, with count, reason and an example.</param>
internal sealed partial class ImageFolder(Action<string> warn)
{
    // "evaluation" stands for either of the other two in published sets.
    private const string Evaluation = "evaluation";

    private static readonly Dictionary<string, string[]> s_splitWords = new()
    {
        [nameof(ImageFolderSplit.Train)] = ["train", "training", "trn"],
        [nameof(ImageFolderSplit.Validation)] = ["val", "valid", "validation", "validate", "validating", "dev", "devel", "development"],
        [nameof(ImageFolderSplit.Test)] = ["test", "testing", "tst"],
        [Evaluation] = ["eval", "evaluation", "evaluate"],
    };

    /// <summary>The images of <paramref name="split"/>, in ordinal order of their paths.</summary>
    public List<ImageFolderRow> List(string path, ImageFolderSplit split, bool readableNames = false)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        if (!Enum.IsDefined(split))
            throw new ArgumentOutOfRangeException(nameof(split), split, $"Unknown split: expected one of {string.Join(", ", Enum.GetNames<ImageFolderSplit>())}.");
        string root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (!Directory.Exists(root))
            throw new DirectoryNotFoundException(
                $"The image folder '{path}' {(File.Exists(root) ? "is a file" : "does not exist")}{(path == root ? "" : $" (looked for '{root}')")}.");

        var whole = ImageTree.Of(root);
        ImageTree tree = Unwrap(whole);
        List<ImageFolderRow> rows = [.. Read(whole, tree, split)];
        string others = whole.Others is not [var other, ..] ? "" : $"{whole.Others.Count} files of formats that cannot be decoded " +
            $"({string.Join(", ", whole.Others.Select(f => Path.GetExtension(f).ToLowerInvariant()).Distinct())}), for example {other}: convert them to JPEG or PNG.";
        string misnamed = whole.Misnamed is not [var first, ..] ? "" : $"{whole.Misnamed.Count} files that hold images and are not named so, for example {first}: " +
            "give their names an image's ending, .jpg say.";
        if (rows.Count == 0)
            throw new InvalidDataException(
                $"No images found in '{root}'{(split == ImageFolderSplit.All ? "" : $" for the split {split}")}: " +
                $"looked for files ending in {string.Join(", ", ImageFiles.Extensions)}. {others} {misnamed}".Trim());
        if (others.Length > 0) warn($"Left out: {others}");
        if (misnamed.Length > 0) warn($"Left out: {misnamed}");
        if (AlikeInForms(rows.Select(r => r.Label).Distinct()) is { } alike)
            warn($"The classes '{alike.First()}' and '{alike.Last()}' may be one, written in two forms of Unicode; a process with InvariantGlobalization cannot tell.");
        if (readableNames)
        {
            List<ImageFolderRow> all = split == ImageFolderSplit.All ? rows : [.. new ImageFolder(_ => { }).Read(whole, tree, ImageFolderSplit.All)];
            new ClassNames(warn).Apply(rows, all.Select(r => r.Label),
                new[] { tree.Path, root, Path.GetDirectoryName(tree.Path), Path.GetDirectoryName(root) }.OfType<string>());
        }
        // The same order on every system, whatever separates its folders.
        rows.Sort((a, b) => string.CompareOrdinal(a.ImagePath.Replace('\\', '/'), b.ImagePath.Replace('\\', '/')));
        return rows;
    }

    /// <summary>Labels that may be one where <see cref="ImageFolderRow.Composed"/> composes nothing: with and without marks that belong to the letter before.</summary>
    private static IEnumerable<string>? AlikeInForms(IEnumerable<string> labels) => ImageFolderRow.Composed("e\u0301").Length == 1 ? null
        : labels.GroupBy(label => LettersWithMarks().Replace(label, "?")).FirstOrDefault(alike => alike.Select(label => label.Length).Distinct().Count() > 1);

    [GeneratedRegex(@".[\u0300-\u036F\u3099\u309A\u1161-\u11FF]+|[^\x00-\x7F]")]
    private static partial Regex LettersWithMarks();

    private IEnumerable<ImageFolderRow> Read(ImageTree root, ImageTree tree, ImageFolderSplit split)
    {
        if (LayoutOf(tree) is { Split: null } layout) return Listed(tree, layout, split, complete: split == ImageFolderSplit.All);
        var splits = SplitsOf(tree);
        if (split == ImageFolderSplit.All)
        {
            List<ImageTree> parts = [.. splits.Values.SelectMany(s => s)];
            // A folder "train" alone may be a class; with a second split beside it, or classes in it, it is not.
            if (splits.Count < 2 && !parts.Exists(p => p.Folders.Count > 1)) return ReadSplit(tree, split);
            LeftOut([.. tree.Images, .. tree.Folders.Except(parts).SelectMany(f => f.All())], $"beside the splits ({Few(parts)})");
            List<ImageFolderRow> rows = [.. splits.SelectMany(found => found.Value.SelectMany(s => ReadSplit(s, found.Key)))];
            // A test split whose labels are secret would only add a class of its own.
            if (!rows.Exists(r => r.Label.Length > 0)) return rows;
            LeftOut([.. rows.Where(r => r.Label.Length == 0).Select(r => r.ImagePath)], "without a label, which the other splits have");
            return rows.Where(r => r.Label.Length > 0);
        }
        if (splits.TryGetValue(split, out List<ImageTree>? wanted)) return wanted.SelectMany(s => ReadSplit(s, split));
        if (IsSplit(root) || IsSplit(tree)) return ReadSplit(tree, split);   // the folder of the split was given, not that of the data set
        // Splits may also lie in the classes: cat/train, cat/test, dog/train.
        var inClasses = tree.Folders.Select(f => (f.Name, Of: SplitsOf(f).GetValueOrDefault(split))).Where(c => c.Of is not null).ToList();
        if (inClasses.Count > 0) return inClasses.SelectMany(c => c.Of!.SelectMany(s => Rows(s.All(), c.Name)));
        if (tree.Empty.Exists(f => SplitOf(f.Name)?.Word == split.ToString())) return [];
        throw new ArgumentException(
            $"'{root.Path}' has no split {split}: expected a folder named {string.Join(" or ", s_splitWords[split.ToString()])} in it; " +
            (splits.Count == 0 ? "there is none for any split." : $"the splits there are {string.Join(", ", splits.Keys)}."), nameof(split));

        bool IsSplit(ImageTree folder) => SplitOf(folder.Name) is var (word, _) && (word == split.ToString() || word == Evaluation && split != ImageFolderSplit.Train)
            || LayoutOf(folder)?.Split == split;
    }

    /// <summary>The images of a folder that holds one split; their labels are empty where nothing tells them.</summary>
    private IEnumerable<ImageFolderRow> ReadSplit(ImageTree tree, ImageFolderSplit split)
    {
        tree = Unwrap(tree);
        if (LayoutOf(tree) is { Split: not null } layout) return Listed(tree, layout, split, complete: true);
        bool bare = tree.Images.Count == 0, areParts = bare && tree.Folders.Count > 1 && tree.Folders.TrueForAll(f => TellsNothing(f.Name));
        // Folders around the classes: valid/images/cat, and fold_1/cat, fold_2/cat.
        bool wrapsClasses = tree.Folders is [var around] && !MayBeClass(around.Name) && (split != ImageFolderSplit.All || SplitOf(around.Name) is not null);
        if (bare && (wrapsClasses || areParts) && tree.Folders.TrueForAll(f => f.Images.Count == 0)) return tree.Folders.SelectMany(f => ReadSplit(f, split));
        // Images without labels often lie in a folder of their own, "images" or that of the split once more, or in images_1, images_2: none is a class.
        if (areParts) return Rows(tree.All(), "");
        if (tree.Folders is [] || (tree.Folders is [var only] && (!MayBeClass(only.Name) || only.Name == tree.Name))) return Rows(tree.All(), "");
        List<ImageFolderRow> rows = [.. tree.Folders.SelectMany(f => Rows(f.All(), f.Name))];
        string beside = $"beside the class folders ({Few(tree.Folders)})";
        if (tree.Empty.Count > 0) warn($"No image lies in {Few(tree.Empty)}, {tree.Empty.Count} of the folders {beside}.");
        bool fewer = tree.Images.Count < rows.Count;
        Tell(tree.Images, $"{beside}, without a class", fewer ? "left out" : "their label is empty");
        return fewer ? rows : rows.Concat(Rows(tree.Images, ""));
    }

    private static IEnumerable<ImageFolderRow> Rows(IEnumerable<string> paths, string label) => paths.Select(p => new ImageFolderRow { ImagePath = p, Label = label });

    private List<ImageFolderRow> Listed(ImageTree tree, DatasetLayout layout, ImageFolderSplit split, bool complete)
    {
        List<ImageFolderRow> rows = [.. layout.Read(tree.Path, split)];
        if (complete) LeftOut([.. tree.All().Except(rows.Select(r => r.ImagePath))], "in none of the lists of the data set");
        return rows;
    }

    /// <summary>The folder in which the classes or splits lie, where archives and habit put others around it: images/cat, flowers/flowers/rose.</summary>
    private ImageTree Unwrap(ImageTree tree)
    {
        ImageTree inner = tree;
        List<string> beside = [];
        while (LayoutOf(inner) is null && inner.Folders is [var only] && (inner.Images.Count == 0 || !MayBeClass(only.Name) && inner.Images.Count < only.Count))
        {
            beside.AddRange(inner.Images);
            inner = only;
        }
        if (inner.Folders.Count < 2 && LayoutOf(inner) is null) return tree;
        LeftOut(beside, $"beside the folder '{inner.Path}', without a class");
        return inner;
    }

    /// <summary>The splits that lie in a folder. They are named alike: seg_train and seg_test, not train and test_tube.</summary>
    private static SortedDictionary<ImageFolderSplit, List<ImageTree>> SplitsOf(ImageTree tree)
    {
        SortedDictionary<ImageFolderSplit, List<ImageTree>> best = [];
        foreach (var group in tree.Folders.Select(f => (Folder: f, Is: SplitOf(f.Name))).Where(f => f.Is is not null).GroupBy(f => f.Is!.Value.Stem))
        {
            SortedDictionary<ImageFolderSplit, List<ImageTree>> found = [];
            foreach (var (folder, split) in group.OrderBy(f => f.Is!.Value.Word == Evaluation))
            {
                ImageFolderSplit key = split!.Value.Word != Evaluation ? Enum.Parse<ImageFolderSplit>(split.Value.Word)
                    : found.ContainsKey(ImageFolderSplit.Validation) ? ImageFolderSplit.Test : ImageFolderSplit.Validation;
                if (!found.TryAdd(key, [folder])) found[key].Add(folder);
            }
            if (found.Count > best.Count) best = found;
        }
        return best;
    }

    /// <summary>Which split the name of a folder tells, and the rest of its words; null where it tells none.</summary>
    private static (string Word, string Stem)? SplitOf(string name)
    {
        string[] words = [.. WordsOf(name)];
        var found = s_splitWords.Where(s => words.Intersect(s.Value).Any()).ToList();
        return found is [var split] ? (split.Key, string.Concat(words.Except(split.Value))) : null;
    }

    /// <summary>Whether a folder alone may be a class: not "images" or "train".</summary>
    private static bool MayBeClass(string name) => SplitOf(name) is null && (WordsOf(name).Any() || !name.Any(char.IsLetter));

    /// <summary>Whether a folder is named as any part of a set may be: "images_2", "fold 1".</summary>
    private static bool TellsNothing(string name) => SplitOf(name) is null && !MayBeClass(name);

    /// <summary>The words of a name in lower case, save those that any folder of images may have: of "TrainSet_2" train, of "images" none.</summary>
    private static IEnumerable<string> WordsOf(string name) =>
        Words().Matches(name).Select(m => Noise().Replace(m.Value.ToLowerInvariant(), "")).Where(w => w.Length > 0);

    [GeneratedRegex("[A-Z]*[a-z]+|[A-Z]+|[^A-Za-z0-9 _.()-]+")]
    private static partial Regex Words();

    [GeneratedRegex("(sets?|data|images?|imgs?|photos?|pictures?|pics?|samples?|files?|folder|splits?|folds?|parts?|chunks?|batch(es)?|jpe?gs?|pngs?|all|"
        + "unlabell?ed|unknown)+$")]
    private static partial Regex Noise();

    private static DatasetLayout? LayoutOf(ImageTree tree) => DatasetLayout.All.FirstOrDefault(layout => layout.IsOne(tree.Path));

    private void LeftOut(List<string> images, string reason) => Tell(images, reason, "left out");

    private void Tell(List<string> images, string reason, string consequence)
    {
        if (images.Count > 0) warn($"{images.Count} {(images.Count == 1 ? "image" : "images")} {reason}: {consequence}, for example {images[0]}.");
    }

    private static string Few(List<ImageTree> folders) => string.Join(", ", folders.Take(5).Select(f => f.Name)) + (folders.Count > 5 ? ", ..." : "");
}
