namespace Smae.MLNet;

/// <summary>The layout of CUB-200-2011: lists of images, labels, classes and splits beside the folder <c>images</c>.</summary>
internal static class CubFolder
{
    private const string Images = "images.txt", Labels = "image_class_labels.txt", Classes = "classes.txt", Splits = "train_test_split.txt";

    /// <summary>Whether <paramref name="folder"/> is laid out like this.</summary>
    public static bool IsOne(string folder) => File.Exists(Path.Combine(folder, Images)) && File.Exists(Path.Combine(folder, Labels));

    /// <summary>The images of a split; labels are the names in classes.txt.</summary>
    public static IEnumerable<ImageFolderRow> Read(string folder, ImageFolderSplit split)
    {
        if (split == ImageFolderSplit.Validation)
        {
            throw new ArgumentException(
                $"'{folder}' is laid out as CUB-200-2011, which has the splits Train and Test, not {split}.", nameof(split));
        }

        var images = Numbered(Images, "'<image> <path>'", value => value.Length > 0);
        var labels = Numbered(Labels, "'<image> <class>'", value => int.TryParse(value, out _));
        var classes = Numbered(Classes, "'<class> <name>'", value => value.Length > 0);
        var training = split == ImageFolderSplit.All
            ? null
            : Numbered(Splits, "'<image> <1 for training, 0 for test>'", value => value is "0" or "1");
        string wanted = split == ImageFolderSplit.Train ? "1" : "0";

        foreach (var (image, path) in images)
        {
            if (training is not null && Find(training, image, Splits, "image") != wanted)
                continue;
            yield return new ImageFolderRow
            {
                ImagePath = Path.GetFullPath(Path.Combine(folder, "images", path)),
                Label = Find(classes, int.Parse(Find(labels, image, Labels, "image")), Classes, "class"),
            };
        }

        Dictionary<int, string> Numbered(string file, string expected, Predicate<string> isValue) =>
            AnnotationFile.ReadNumbered(Path.Combine(folder, file), expected, isValue);

        string Find(Dictionary<int, string> records, int number, string file, string what) =>
            records.TryGetValue(number, out string? value)
                ? value
                : throw new InvalidDataException(
                    $"{Path.Combine(folder, file)}: no line for {what} {number}, which another file of the data set names.");
    }
}
