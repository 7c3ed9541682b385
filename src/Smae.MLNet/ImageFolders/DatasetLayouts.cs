namespace Smae.MLNet;

/// <summary>
/// How a published data set lies on disk, where that is not class folders. To add one, derive a class here and name it in <see cref="All"/>.
/// </summary>
internal abstract class DatasetLayout
{
    /// <summary>The layouts that are looked for, in this order, before a folder is taken for class folders.</summary>
    public static IReadOnlyList<DatasetLayout> All { get; } = [new CubLayout(), new TinyImageNetValidationLayout()];

    /// <summary>Whether <paramref name="folder"/> is laid out like this.</summary>
    public abstract bool IsOne(string folder);

    /// <summary>Whether such a folder holds one split of a data set, and which; null where it holds the whole data set.</summary>
    public virtual ImageFolderSplit? Split => null;

    /// <summary>The images of a split, which is without meaning where the folder holds one only.</summary>
    /// <exception cref="ArgumentException">The data set has no such split.</exception>
    /// <exception cref="InvalidDataException">A list of the data set is malformed: the message names file and line.</exception>
    public abstract IEnumerable<ImageFolderRow> Read(string folder, ImageFolderSplit split);

    private static InvalidDataException Malformed(string path, int line, string expected, string found) =>
        new($"{path}, line {line}: expected {expected}, found '{found}'.");

    /// <summary>The lines of a list that are not empty, with their numbers.</summary>
    private static IEnumerable<(int Number, string Text)> Lines(string path) =>
        File.ReadLines(path).Select((text, i) => (i + 1, text)).Where(line => line.text.Length > 0);

    /// <summary>CUB-200-2011: lists of images, labels, classes and splits beside the folder <c>images</c>. Labels are the names in classes.txt.</summary>
    private sealed class CubLayout : DatasetLayout
    {
        private const string Images = "images.txt", Labels = "image_class_labels.txt", Classes = "classes.txt", Splits = "train_test_split.txt";

        public override bool IsOne(string folder) => File.Exists(Path.Combine(folder, Images)) && File.Exists(Path.Combine(folder, Labels));

        public override IEnumerable<ImageFolderRow> Read(string folder, ImageFolderSplit split)
        {
            if (split == ImageFolderSplit.Validation)
                throw new ArgumentException($"'{folder}' is laid out as CUB-200-2011, which has the splits Train and Test, not {split}.", nameof(split));
            var images = Numbered(Images, "'<image> <path>'", value => value.Length > 0);
            var labels = Numbered(Labels, "'<image> <class>'", value => int.TryParse(value, out _));
            var classes = Numbered(Classes, "'<class> <name>'", value => value.Length > 0);
            var training = split == ImageFolderSplit.All ? null : Numbered(Splits, "'<image> <1 for training, 0 for test>'", value => value is "0" or "1");
            foreach (var (image, path) in images)
            {
                if (training is not null && Find(training, image, Splits, "image") != (split == ImageFolderSplit.Train ? "1" : "0")) continue;
                yield return new ImageFolderRow
                {
                    ImagePath = Path.GetFullPath(Path.Combine(folder, "images", path)),
                    Label = Find(classes, int.Parse(Find(labels, image, Labels, "image")), Classes, "class"),
                };
            }

            string Find(Dictionary<int, string> records, int number, string file, string what) => records.TryGetValue(number, out string? value) ? value
                : throw new InvalidDataException($"{Path.Combine(folder, file)}: no line for {what} {number}, which another file of the data set names.");

            // A list whose lines are a number, a space and a value: the values by number.
            Dictionary<int, string> Numbered(string file, string expected, Predicate<string> isValue)
            {
                string path = Path.Combine(folder, file);
                var records = new Dictionary<int, string>();
                foreach (var (line, text) in Lines(path))
                {
                    int space = text.IndexOf(' ');
                    string value = text[(space + 1)..].Trim();
                    if (space < 0 || !int.TryParse(text.AsSpan(0, space), out int number) || !isValue(value)) throw Malformed(path, line, expected, text);
                    if (!records.TryAdd(number, value))
                        throw new InvalidDataException($"{path}, line {line}: the number {number} stands there for the second time.");
                }
                return records;
            }
        }
    }

    /// <summary>Tiny ImageNet's validation images, in one folder with a list of their classes. Its training images are class folders.</summary>
    private sealed class TinyImageNetValidationLayout : DatasetLayout
    {
        private const string Annotations = "val_annotations.txt";

        public override ImageFolderSplit? Split => ImageFolderSplit.Validation;

        public override bool IsOne(string folder) => File.Exists(Path.Combine(folder, Annotations));

        public override IEnumerable<ImageFolderRow> Read(string folder, ImageFolderSplit split)
        {
            string path = Path.Combine(folder, Annotations);
            foreach (var (line, text) in Lines(path))
                yield return text.Split('\t') is [var file, var label, ..] && !string.IsNullOrWhiteSpace(file) && !string.IsNullOrWhiteSpace(label)
                    ? new ImageFolderRow { ImagePath = Path.Combine(folder, "images", file), Label = label }
                    : throw Malformed(path, line, "'<file name>', a tab and '<class>'", text);
        }
    }
}
