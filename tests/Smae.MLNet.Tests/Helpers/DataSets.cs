namespace Smae.MLNet.Tests;

/// <summary>
/// Data sets in the layouts of Tiny ImageNet and CUB-200-2011. They are drawn, once a run; <c>SMAE_DATA=DIR</c> takes real ones from
/// <c>DIR/tiny-imagenet-20</c> and <c>DIR/cub-200-2011-20</c>, unpacked.
/// </summary>
[TestClass]
public static class DataSets
{
    private const int Classes = 20, TrainImages = 10, ValidationImages = 50;   // images of each class
    private static readonly Lazy<string> s_drawn = new(() => Directory.CreateTempSubdirectory("smae-data-").FullName);
    private static readonly Lazy<string> s_tinyImageNet = new(() => Real("tiny-imagenet-20") ?? DrawTinyImageNet(Path.Combine(s_drawn.Value, "tiny-imagenet")));
    private static readonly Lazy<string> s_cub = new(() => Real("cub-200-2011-20") ?? DrawCub(Path.Combine(s_drawn.Value, "cub")));

    /// <summary>JPEG files of 64x64 pixels, at least 1,000 of them for validation.</summary>
    public static string TinyImageNet => s_tinyImageNet.Value;

    /// <summary>JPEG files of several sizes.</summary>
    public static string Cub => s_cub.Value;

    [AssemblyCleanup]
    public static void DeleteDrawn()
    {
        if (s_drawn.IsValueCreated) Directory.Delete(s_drawn.Value, recursive: true);
    }

    private static string? Real(string name) =>
        Environment.GetEnvironmentVariable("SMAE_DATA") is { Length: > 0 } folder ? Path.Combine(folder, name) : null;

    private static string DrawTinyImageNet(string root)
    {
        string[] names = [.. Enumerable.Range(0, Classes).Select(c => $"n{c:00000000}")];
        List<string> annotations = [];
        int number = 0;
        foreach (string name in names)
        {
            for (int i = 0; i < TrainImages; i++) Draw(Path.Combine(root, "train", name, "images", $"{name}_{i}.JPEG"), number++, 64, 64);
            for (int i = 0; i < ValidationImages; i++)
            {
                string file = $"val_{annotations.Count}.JPEG";
                Draw(Path.Combine(root, "val", "images", file), number++, 64, 64);
                annotations.Add($"{file}\t{name}\t0\t0\t63\t63");
            }
        }
        File.WriteAllLines(Path.Combine(root, "wnids.txt"), names);
        File.WriteAllLines(Path.Combine(root, "words.txt"), names.Select(name => $"{name}\tshape"));
        File.WriteAllLines(Path.Combine(root, "val", "val_annotations.txt"), annotations);
        return root;
    }

    private static string DrawCub(string root)
    {
        string[] names = [.. Enumerable.Range(1, Classes).Select(c => $"{c:000}.Shape_{c}")];
        List<string> images = [], labels = [], splits = [];
        foreach ((string name, int label) in names.Select((name, index) => (name, index + 1)))
            for (int i = 0; i < TrainImages; i++)
            {
                int id = images.Count + 1;
                string file = $"{name}/Shape_{label}_{i:0000}.jpg";
                Draw(Path.Combine(root, "images", file), id, 60 + id % 7 * 10, 50 + id % 5 * 10);
                images.Add($"{id} {file}");
                labels.Add($"{id} {label}");
                splits.Add($"{id} {i % 2}");
            }
        File.WriteAllLines(Path.Combine(root, "classes.txt"), names.Select((name, index) => $"{index + 1} {name}"));
        File.WriteAllLines(Path.Combine(root, "images.txt"), images);
        File.WriteAllLines(Path.Combine(root, "image_class_labels.txt"), labels);
        File.WriteAllLines(Path.Combine(root, "train_test_split.txt"), splits);
        return root;
    }

    private static void Draw(string path, int number, int width, int height)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        TestImages.Write(path, number, width, height);
    }
}
