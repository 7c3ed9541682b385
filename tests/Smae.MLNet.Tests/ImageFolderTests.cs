using Microsoft.ML;
using Microsoft.ML.Data;

namespace Smae.MLNet.Tests;

[TestClass]
public class ImageFolderTests
{
    private readonly MLContext _ml = new(seed: 1);

    [TestMethod]
    public void Class_folders_give_labels_and_rows_in_ordinal_order()
    {
        using var folder = new TempFolder();
        foreach (string path in new[] { "b/2.png", "b/10.PNG", "a/deep/er/x.jpeg", "C/1.bmp", "a/y.gif", "a/notes.txt", "readme.jpg" })
            folder.Write("", path.Split('/'));
        AssertRows(folder, Load(folder.Path), "C/1.bmp C", "a/deep/er/x.jpeg a", "a/y.gif a", "b/10.PNG b", "b/2.png b");
    }

    [TestMethod]
    public void The_columns_are_text_and_the_view_shuffles_and_knows_its_length()
    {
        using var folder = new TempFolder();
        folder.Write("", "a", "1.png");
        var data = _ml.Data.LoadImageFolder(folder.Path);
        CollectionAssert.AreEqual(new[] { "ImagePath", "Label" }, data.Schema.Select(column => column.Name).ToArray());
        Assert.IsTrue(data.Schema.All(column => column.Type is TextDataViewType));
        Assert.IsTrue(data.CanShuffle);
        Assert.AreEqual(1, data.GetRowCount());
    }

    [TestMethod]
    public void A_flat_folder_has_no_labels()
    {
        using var folder = new TempFolder();
        folder.Write("", "2.jpg");
        folder.Write("", "1.JPG");
        folder.Write("", ".hidden.jpg");
        Directory.CreateDirectory(folder.At("empty", "folder"));
        AssertRows(folder, Load(folder.Path), "1.JPG ", "2.jpg ");
    }

    [TestMethod]
    public void A_relative_path_gives_full_ones()
    {
        using var folder = new TempFolder();
        folder.Write("", "a", "1.png");
        string relative = Path.GetRelativePath(Directory.GetCurrentDirectory(), folder.Path);
        Assert.AreEqual(folder.At("a", "1.png"), Load(relative).Single().ImagePath);
    }

    [TestMethod]
    public void Tiny_imagenet_is_read_by_split_or_whole()
    {
        using var folder = new TempFolder();
        WriteTinyImageNet(folder);
        string[] train = ["train/n01/images/n01_0.JPEG n01", "train/n02/images/n02_0.JPEG n02"];
        string[] validation = ["val/images/val_0.JPEG n02", "val/images/val_1.JPEG n01"];
        AssertRows(folder, Load(folder.Path, ImageFolderSplit.Train), train);
        AssertRows(folder, Load(folder.At("train")), train);
        AssertRows(folder, Load(folder.At("train"), ImageFolderSplit.Train), train);
        AssertRows(folder, Load(folder.Path, ImageFolderSplit.Validation), validation);
        AssertRows(folder, Load(folder.At("val")), validation);
        AssertRows(folder, Load(folder.At("val"), ImageFolderSplit.Validation), validation);
        AssertRows(folder, Load(folder.Path, ImageFolderSplit.Test), "test/images/test_0.JPEG ");
        AssertRows(folder, Load(folder.Path), [.. train, .. validation]);
    }

    [TestMethod]
    public void Splits_of_a_data_set_without_labels_are_all_taken()
    {
        using var folder = new TempFolder();
        folder.Write("", "train", "1.png");
        folder.Write("", "test", "2.png");
        AssertRows(folder, Load(folder.Path), "test/2.png ", "train/1.png ");
    }

    [TestMethod]
    public void Cub_is_read_by_split_or_whole()
    {
        using var folder = new TempFolder();
        WriteCub(folder);
        AssertRows(folder, Load(folder.Path, ImageFolderSplit.Train), "images/001.A/a1.jpg 001.A", "images/002.B/b1.jpg 002.B");
        AssertRows(folder, Load(folder.Path, ImageFolderSplit.Test), "images/001.A/a2.jpg 001.A");
        Assert.HasCount(3, Load(folder.Path));
        var error = Assert.ThrowsExactly<ArgumentException>(() => Load(folder.Path, ImageFolderSplit.Validation));
        StringAssert.Contains(error.Message, "Train and Test");
    }

    [TestMethod]
    public void A_folder_that_is_not_there_is_named()
    {
        var error = Assert.ThrowsExactly<DirectoryNotFoundException>(() => Load("no/such/folder"));
        StringAssert.Contains(error.Message, "no/such/folder");
    }

    [TestMethod]
    public void An_empty_folder_is_an_error_that_names_it_and_the_extensions()
    {
        using var folder = new TempFolder();
        folder.Write("", "a", "1.tiff");
        var error = Assert.ThrowsExactly<InvalidDataException>(() => Load(folder.Path));
        StringAssert.Contains(error.Message, folder.Path);
        StringAssert.Contains(error.Message, ".jpg, .jpeg, .png, .bmp, .gif");
    }

    [TestMethod]
    public void An_unknown_split_is_an_error()
    {
        using var folder = new TempFolder();
        folder.Write("", "a", "1.png");
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Load(folder.Path, (ImageFolderSplit)17));
        var error = Assert.ThrowsExactly<ArgumentException>(() => Load(folder.Path, ImageFolderSplit.Test));
        StringAssert.Contains(error.Message, "Test");
    }

    [TestMethod]
    public void A_malformed_annotation_is_named_by_file_and_line()
    {
        using var folder = new TempFolder();
        WriteTinyImageNet(folder);
        folder.Write("val_0.JPEG\tn02\t0\t0\t1\t1\nval_1.JPEG n01\n", "val", "val_annotations.txt");
        var error = Assert.ThrowsExactly<InvalidDataException>(() => Load(folder.At("val")));
        StringAssert.Contains(error.Message, "val_annotations.txt, line 2");
    }

    [TestMethod]
    [DataRow("image_class_labels.txt", "1 1\nx 1\n3 2\n", "line 2")]
    [DataRow("image_class_labels.txt", "1 1\n2 one\n3 2\n", "line 2")]
    [DataRow("image_class_labels.txt", "1 1\n2 1\n", "image 3")]
    [DataRow("images.txt", "1 a.jpg\n1 b.jpg\n", "line 2")]
    [DataRow("classes.txt", "1 001.A\n", "class 2")]
    [DataRow("train_test_split.txt", "1 1\n2 0\n3 2\n", "line 3")]
    public void A_malformed_list_of_cub_is_named_by_file_and_place(string file, string content, string place)
    {
        using var folder = new TempFolder();
        WriteCub(folder);
        folder.Write(content, file);
        var error = Assert.ThrowsExactly<InvalidDataException>(() => Load(folder.Path, ImageFolderSplit.Train));
        StringAssert.Contains(error.Message, file);
        StringAssert.Contains(error.Message, place);
    }

    [TestMethod]
    public void A_whole_tiny_imagenet_has_its_images_and_classes()
    {
        string root = DataSets.TinyImageNet;
        int trainFiles = Directory.GetFiles(Path.Combine(root, "train"), "*.JPEG", SearchOption.AllDirectories).Length;
        var train = Load(root, ImageFolderSplit.Train);
        var validation = Load(root, ImageFolderSplit.Validation);
        Assert.HasCount(trainFiles, train);
        Assert.HasCount(1000, validation);
        CollectionAssert.AreEquivalent(File.ReadAllLines(Path.Combine(root, "wnids.txt")), train.Select(row => row.Label).Distinct().ToArray());
        Assert.IsTrue(validation.GroupBy(row => row.Label).All(group => group.Count() == 50));
        Assert.IsTrue(validation.All(row => File.Exists(row.ImagePath)));
        Assert.HasCount(trainFiles + 1000, Load(root));
    }

    [TestMethod]
    public void A_whole_cub_has_its_images_and_classes()
    {
        string root = DataSets.Cub;
        var train = Load(root, ImageFolderSplit.Train);
        var test = Load(root, ImageFolderSplit.Test);
        Assert.AreEqual(File.ReadAllLines(Path.Combine(root, "images.txt")).Length, train.Count + test.Count);
        Assert.AreEqual(20, train.Select(row => row.Label).Distinct().Count());
        Assert.IsTrue(train.Concat(test).All(
            row => File.Exists(row.ImagePath) && Path.GetFileName(Path.GetDirectoryName(row.ImagePath)) == row.Label));
    }

    private static void WriteTinyImageNet(TempFolder folder)
    {
        folder.Write("n01\nn02\n", "wnids.txt");
        folder.Write("n01\tgoldfish\nn02\tcentipede\n", "words.txt");
        foreach (string name in new[] { "n01", "n02" })
        {
            folder.Write("", "train", name, "images", name + "_0.JPEG");
            folder.Write(name + "_0.JPEG\t0\t0\t1\t1\n", "train", name, name + "_boxes.txt");
        }
        folder.Write("", "val", "images", "val_0.JPEG");
        folder.Write("", "val", "images", "val_1.JPEG");
        folder.Write("val_1.JPEG\tn01\t0\t0\t1\t1\nval_0.JPEG\tn02\t0\t0\t1\t1\n", "val", "val_annotations.txt");
        folder.Write("", "test", "images", "test_0.JPEG");
    }

    private static void WriteCub(TempFolder folder)
    {
        folder.Write("1 001.A/a1.jpg\n2 001.A/a2.jpg\n3 002.B/b1.jpg\n", "images.txt");
        folder.Write("1 1\n2 1\n3 2\n", "image_class_labels.txt");
        folder.Write("1 001.A\n2 002.B\n", "classes.txt");
        folder.Write("1 1\n2 0\n3 1\n", "train_test_split.txt");
        foreach (string path in new[] { "001.A/a1.jpg", "001.A/a2.jpg", "002.B/b1.jpg" })
            folder.Write("", ["images", .. path.Split('/')]);
    }

    private static void AssertRows(TempFolder folder, List<Row> rows, params string[] expected) => CollectionAssert.AreEqual(
        expected, rows.Select(row => $"{Path.GetRelativePath(folder.Path, row.ImagePath).Replace('\\', '/')} {row.Label}").ToArray());

    private List<Row> Load(string path, ImageFolderSplit split = ImageFolderSplit.All) =>
        [.. _ml.Data.CreateEnumerable<Row>(_ml.Data.LoadImageFolder(path, split), reuseRowObject: false)];

    public sealed class Row
    {
        public string ImagePath { get; set; } = "";

        public string Label { get; set; } = "";
    }
}
