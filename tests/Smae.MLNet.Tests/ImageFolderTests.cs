namespace Smae.MLNet.Tests;

[TestClass]
public class ImageFolderTests
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly LogRecorder _log;

    public ImageFolderTests() => _log = new LogRecorder(_ml);

    [TestMethod]
    public void Class_folders_give_labels_and_rows_in_ordinal_order()
    {
        using var folder = new TempFolder();
        foreach (string path in new[] { "b/2.png", "b/10.PNG", "a/deep/er/x.jpeg", "C/1.bmp", "a/y.gif", "a/notes.txt", "readme.jpg" })
            folder.Write("", path.Split('/'));
        AssertRows(folder, Load(folder.Path), "C/1.bmp C", "a/deep/er/x.jpeg a", "a/y.gif a", "b/10.PNG b", "b/2.png b");
        AssertWarning("1 image beside the class folders (C, a, b)", folder.At("readme.jpg"));
    }

    [TestMethod]
    public void Images_beside_one_class_folder_are_taken_where_they_are_more_and_told_where_they_are_fewer()
    {
        using var folder = new TempFolder();
        for (int i = 0; i < 20; i++) folder.Write("", $"{i:00}.jpg");
        folder.Write("", "cat", "1.jpg");
        List<Row> rows = Load(folder.Path);
        Assert.HasCount(21, rows);
        CollectionAssert.AreEqual(new[] { "cat" }, rows.Select(row => row.Label).Where(label => label.Length > 0).ToArray());
        AssertWarning("20 images", "beside the class folders (cat)", "label is empty", folder.At("00.jpg"));
        for (int i = 2; i < 30; i++) folder.Write("", "cat", $"{i}.jpg");
        rows = Load(folder.Path);
        Assert.HasCount(29, rows);
        Assert.IsTrue(rows.All(row => row.Label == "cat"));
        Assert.HasCount(2, _log.Warnings);
        StringAssert.Contains(_log.Warnings[1], "20 images beside the class folders (cat), without a class: left out");
    }

    [TestMethod]
    public void Images_that_are_not_named_so_are_told_and_other_files_are_not()
    {
        using var folder = new TempFolder();
        string image = TestImages.Write(folder.At("cat", "1.png"), 1, 8, 8);
        foreach (string name in (string[])["2", "3", "4.jpg_large"]) File.Copy(image, folder.At("cat", name));
        folder.Write("the text beside", "cat", "1.txt");
        folder.Write("", "cat", "empty");
        AssertRows(folder, Load(folder.Path), "cat/1.png cat");
        AssertWarning("3 files that hold images and are not named so", folder.At("cat", "2"));
        File.Delete(image);
        var error = Assert.ThrowsExactly<InvalidDataException>(() => Load(folder.Path));
        StringAssert.Contains(error.Message, "3 files that hold images and are not named so");
        StringAssert.Contains(Assert.ThrowsExactly<DirectoryNotFoundException>(() => Load(folder.At("cat", "2"))).Message, "is a file");
    }

    /// <summary>macOS writes letters and their marks apart. Processes with InvariantGlobalization, as this one is by default, cannot compose them.</summary>
    [TestMethod]
    [DataRow("caf\u00E9", "cafe\u0301")]
    [DataRow("\u00C5ngstr\u00F6m", "A\u030Angstro\u0308m")]
    [DataRow("\u304C", "\u304B\u3099")]
    [DataRow("\uD55C\uAD6D", "\u1112\u1161\u11AB\u1100\u116E\u11A8")]
    public void A_class_in_two_forms_of_Unicode_is_one_or_told(string composed, string apart)
    {
        using var folder = new TempFolder();
        string[] paths = [folder.Write("", "train", composed, "1.jpg"), folder.Write("", "train", "other", "2.jpg"), folder.Write("", "val", apart, "3.jpg"), folder.Write("", "val", "other", "4.jpg")];
        List<Row> rows = Load(folder.Path);
        CollectionAssert.AreEquivalent(paths, rows.Select(row => row.ImagePath).ToArray(), "paths are as they are on the disk");
        if ("e\u0301".Normalize().Length == 1) CollectionAssert.AreEquivalent((string[])[composed, composed, "other", "other"], rows.Select(row => row.Label).ToArray());
        else AssertWarning($"'{composed}'", $"'{apart}'", "may be one, written in two forms of Unicode");
    }

    [TestMethod]
    public void Links_that_lead_in_a_circle_end()
    {
        using var folder = new TempFolder();
        foreach (string name in (string[])["a", "b"]) folder.Write("", name, "1.jpg");
        Directory.CreateSymbolicLink(folder.At("a", "to b"), "../b");
        Directory.CreateSymbolicLink(folder.At("b", "to a"), "../a");
        AssertRows(folder, Load(folder.Path), "a/1.jpg a", "a/to b/1.jpg a", "b/1.jpg b", "b/to a/1.jpg b");
    }

    [TestMethod]
    [DataRow("images/cat/1.jpg cat|images/dog/2.jpg dog")]
    [DataRow("flowers/flowers/rose/1.jpg rose|flowers/flowers/tulip/2.jpg tulip")]
    [DataRow("Training/a/1.jpg a|Training/b/2.jpg b|Testing/a/3.jpg a|Testing/b/4.jpg b", "Train 2|Test 2")]
    [DataRow("TRAIN/a/1.jpg a|TRAIN/b/2.jpg b|Valid/a/3.jpg a|TEST/b/4.jpg b", "Train 2|Validation 1|Test 1")]
    [DataRow("trainset/a/1.jpg a|trainset/b/2.jpg b|dev-set/a/3.jpg a|test set/b/4.jpg b", "Train 2|Validation 1|Test 1")]
    [DataRow("training_set/training_set/a/1.jpg a|training_set/training_set/b/2.jpg b|test_set/test_set/a/3.jpg a|test_set/test_set/b/4.jpg b", "Train 2|Test 2")]
    [DataRow("seg_train/seg_train/a/1.jpg a|seg_train/seg_train/b/2.jpg b|seg_test/a/3.jpg a|seg_test/b/4.jpg b", "Train 2|Test 2")]
    [DataRow("images/train2017/1.jpg |images/val2017/2.jpg ", "Train 1|Validation 1")]
    [DataRow("training/a/1.jpg a|training/b/2.jpg b|validation/a/3.jpg a|evaluation/a/4.jpg a", "Train 2|Validation 1|Test 1")]
    [DataRow("train/a/1.jpg a|train/b/2.jpg b|eval/a/3.jpg a", "Train 2|Validation 1")]
    [DataRow("train_1/a/1.jpg a|train_2/a/2.jpg a|val/b/3.jpg b", "Train 2|Validation 1")]
    [DataRow("data/TrainImages/a/1.jpg a|data/ValidationImages/b/3.jpg b", "Train 1|Validation 1")]
    [DataRow("cat/train/1.jpg cat|cat/test/2.jpg cat|dog/train/3.jpg dog|dog/test/4.jpg dog", "Train 2|Test 2")]
    [DataRow("train/1.jpg train|plane/2.jpg plane|car/3.jpg car")]     // a class of that name
    [DataRow("train/1.jpg train|test tube/2.jpg test tube")]           // named otherwise: classes
    [DataRow("train/images/a/1.jpg a|train/images/b/2.jpg b|valid/images/a/3.jpg a", "Train 2|Validation 1")]
    [DataRow("train/a/1.jpg a", "Train 1")]
    [DataRow("fold_1/a/1.jpg a|fold_1/b/2.jpg b|fold_2/a/3.jpg a")]
    [DataRow("Images_001/1.jpg |Images_002/2.jpg ")]
    [DataRow("1/1.jpg 1|2/2.jpg 2")]
    [DataRow("1/1.jpg 1")]
    [DataRow("Train/cat/1.jpg cat|Train/dog/2.jpg dog", "Train 2")]
    [DataRow("猫/1.jpg 猫|犬/2.jpg 犬")]
    [DataRow("photos/1.jpg |photos/2021/2.jpg ")]
    [DataRow("train/images/1.jpg |valid/images/2.jpg ", "Train 1|Validation 1")]
    public void Folders_are_labelled_as_a_person_would(string files, string splits = "")
    {
        using var folder = new TempFolder();
        string[] rows = files.Split('|');
        foreach (string row in rows)
        {
            string path = row[..(row.IndexOf(".jpg", StringComparison.Ordinal) + 4)];
            folder.Write("", path.Split('/'));
        }
        Array.Sort(rows, StringComparer.Ordinal);
        AssertRows(folder, Load(folder.Path), rows);
        foreach (string[] split in splits.Split('|', StringSplitOptions.RemoveEmptyEntries).Select(s => s.Split(' ')))
            Assert.HasCount(int.Parse(split[1]), Load(folder.Path, Enum.Parse<ImageFolderSplit>(split[0])), split[0]);
        Assert.HasCount(0, _log.Warnings, string.Join('\n', _log.Warnings));
    }

    [TestMethod]
    public void What_no_split_and_no_class_has_is_told()
    {
        using var folder = new TempFolder();
        foreach (string path in (string[])
            ["train/a/1.jpg", "train/b/2.jpg", "test/unknown/3.jpg", "test/unknown/4.jpg", "extra/a/5.jpg", "cover.png", "train/a/6.tiff", "train/b/7.HEIC"])
            folder.Write("", path.Split('/'));
        Directory.CreateDirectory(folder.At("train", "c"));
        AssertRows(folder, Load(folder.Path), "train/a/1.jpg a", "train/b/2.jpg b");
        string all = string.Join('\n', _log.Warnings);
        Assert.HasCount(4, _log.Warnings, all);
        StringAssert.Contains(all, $"2 images beside the splits (train, test): left out, for example {folder.At("cover.png")}");
        StringAssert.Contains(all, $"2 images without a label, which the other splits have: left out, for example {folder.At("test", "unknown", "3.jpg")}");
        StringAssert.Contains(all, "2 files of formats that cannot be decoded (.tiff, .heic)");
        StringAssert.Contains(all, "No image lies in c");
        AssertRows(folder, Load(folder.Path, ImageFolderSplit.Test), "test/unknown/3.jpg ", "test/unknown/4.jpg ");
    }

    [TestMethod]
    public void Every_extension_counts_in_any_case_and_what_others_leave_behind_does_not()
    {
        using var folder = new TempFolder();
        string[] names = [.. ImageFiles.Extensions.Select((e, i) => $"{i:00}{(i % 2 == 0 ? e : e.ToUpperInvariant())}")];
        foreach (string name in names) folder.Write("", "a", name);
        foreach (string path in (string[])["__MACOSX/a/._1.jpg", "a/.thumbs/2.jpg", "a/@eaDir/3.jpg", "a/text.txt", "b/1.jfif"]) folder.Write("", path.Split('/'));
        if (!OperatingSystem.IsWindows()) Directory.CreateSymbolicLink(folder.At("a", "self"), folder.Path);
        Assert.HasCount(names.Length + 1, Load(folder.Path));
        Assert.HasCount(0, _log.Warnings);
    }

    [TestMethod]
    public void A_split_with_classes_beside_something_else_is_a_split_and_a_link_to_another_folder_counts()
    {
        using var folder = new TempFolder();
        foreach (string path in (string[])["seg_train/a/1.jpg", "seg_train/b/2.jpg", "seg_pred/3.jpg"]) folder.Write("", path.Split('/'));
        if (!OperatingSystem.IsWindows()) Directory.CreateSymbolicLink(folder.At("seg_train", "ab"), folder.At("seg_train", "a"));
        string[] linked = OperatingSystem.IsWindows() ? [] : ["seg_train/ab/1.jpg ab"];
        AssertRows(folder, Load(folder.Path), ["seg_train/a/1.jpg a", .. linked, "seg_train/b/2.jpg b"]);
        AssertWarning("1 image beside the splits (seg_train): left out", folder.At("seg_pred", "3.jpg"));
    }

    [TestMethod]
    public void Formats_beside_the_usual_ones_are_decoded()
    {
        using var folder = new TempFolder();
        byte[] Of(params IEnumerable<int>[] parts) => [.. parts.SelectMany(part => part).Select(value => (byte)value)];
        int[] Little(int value) => [value & 255, value >> 8 & 255, value >> 16 & 255, value >> 24 & 255];
        int[] bitmap =   // 16x16, of one colour, then the mask of an icon
        [
            .. Little(40), .. Little(16), .. Little(32), 1, 0, 32, 0, .. Little(0), .. Little(1024), .. Little(0), .. Little(0), .. Little(0), .. Little(0),
            .. Enumerable.Repeat<int[]>([16, 32, 240, 255], 256).SelectMany(pixel => pixel), .. new int[64],
        ];
        foreach (var (name, kind) in new[] { ("1.ico", 1), ("2.CUR", 2) })
            File.WriteAllBytes(folder.At(name), Of([0, 0, kind, 0, 1, 0, 16, 16, 0, 0, 1, 0, 32, 0], Little(bitmap.Length), Little(22), bitmap));
        File.WriteAllBytes(folder.At("3.wbmp"), Of([0, 0, 16, 16], Enumerable.Repeat(0xFF, 32)));
        File.Move(TestImages.Write(folder.At("4.jpg"), 1), folder.At("4.JFIF"));
        using var store = _ml.Data.LoadImageStore(_ml.Data.LoadImageFolder(folder.Path), "ImagePath", TestModels.Preprocessing);
        Assert.AreEqual(4, store.Count);
        CollectionAssert.AreEqual(new byte[] { 240, 32, 16 }, store[0][..3].ToArray());
        CollectionAssert.AreEqual(new byte[] { 255, 255, 255 }, store[2][..3].ToArray());
    }

    [TestMethod]
    public void Images_that_a_list_does_not_name_are_told()
    {
        using var folder = new TempFolder();
        WriteTinyImageNet(folder);
        folder.Write("", "val", "images", "val_2.JPEG");
        Assert.HasCount(2, Load(folder.Path, ImageFolderSplit.Validation));
        AssertWarning("1 image in none of the lists", folder.At("val", "images", "val_2.JPEG"));
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

    [TestMethod]
    public void Labels_are_names_that_people_read_where_a_list_has_them_and_they_are_asked_for()
    {
        using var folder = new TempFolder();
        WriteTinyImageNet(folder);
        folder.Write("n00\tnothing\nn01\tgoldfish, Carassius auratus\nn02\tcentipede\n", "words.txt");
        foreach (string path in (string[])[folder.Path, folder.At("train")])
            AssertRows(
                folder, [.. Read(_ml.Data.LoadImageFolder(path, ImageFolderSplit.Train, readableNames: true))],
                "train/n01/images/n01_0.JPEG goldfish", "train/n02/images/n02_0.JPEG centipede");
        AssertRows(
            folder, [.. Read(_ml.Data.LoadImageFolder(folder.Path, ImageFolderSplit.Validation, readableNames: true))],
            "val/images/val_0.JPEG centipede", "val/images/val_1.JPEG goldfish");
        folder.Write("n01\tcrane\nn02\tcrane\n", "words.txt");
        Assert.AreEqual("crane (n01)", Read(_ml.Data.LoadImageFolder(folder.Path, ImageFolderSplit.Train, readableNames: true)).First().Label);
    }

    [TestMethod]
    [DataRow("classes.txt", "cat\ndog", "0", "1")]
    [DataRow("labels.txt", "cat\ndog\n", "1", "2")]
    [DataRow("labels.txt", "0 cat\n1 dog\n", "0", "1")]
    [DataRow("classes.txt", "a: cat\nb: dog\n", "a", "b")]
    [DataRow("class_names.txt", "a,cat\nb,dog\n", "a", "b")]
    [DataRow("class_names.txt", "x y,\"cat, Felis catus\"\nx z,dog\n", "x y", "x z")]
    [DataRow("labels.txt", "cat\ndog\n", "a", "b")]
    [DataRow("labels.txt", "cat, dog\n", "1", "2")]
    [DataRow("labels.txt", "cat,dog", "first", "second")]
    [DataRow("classes.txt", "1 01.cat\n2 02.dog\n", "01.cat", "02.dog")]
    public void Lists_of_names_have_several_forms(string file, string text, params string[] folders)
    {
        using var folder = new TempFolder();
        folder.Write(text, "images", file);
        foreach (string name in folders) folder.Write("", "images", name, "1.jpg");
        CollectionAssert.AreEqual(
            new[] { "cat", "dog" }, Read(_ml.Data.LoadImageFolder(folder.Path, readableNames: true)).Select(row => row.Label).ToArray());
        CollectionAssert.AreEqual(folders, Load(folder.Path).Select(row => row.Label).ToArray());
    }

    [TestMethod]
    [DataRow("a\tcat\nb\tdog\na\tlion\n", "cat,dog,c", "names 1 of the classes more than once", "'a'", "'cat'")]
    [DataRow("a\tcat\n", "cat,b,c", "no name for 2 of 3 classes", "'b'", "keep the names of their folders")]
    [DataRow("cat\ndog\n", "a,b,c", "has 2 lines", "3 classes", "not used")]
    public void A_list_that_lacks_names_or_is_not_used_is_told(string text, string labels, params string[] parts)
    {
        using var folder = new TempFolder();
        folder.Write(text, "labels.txt");
        foreach (string name in (string[])["a", "b", "c"]) folder.Write("", name, "1.jpg");
        Assert.AreEqual(labels, string.Join(',', Read(_ml.Data.LoadImageFolder(folder.Path, readableNames: true)).Select(row => row.Label)));
        foreach (string part in parts) StringAssert.Contains(_log.Warnings[0], part);
        Load(folder.Path);
        Assert.IsTrue(_log.Warnings.All(w => w.Contains("labels.txt")), "nobody asked for names the second time");
    }

    [TestMethod]
    public void Names_alone_are_not_used_where_folders_have_two_orders()
    {
        using var folder = new TempFolder();
        folder.Write("one\ntwo\nten\n", "labels.txt");
        foreach (string name in (string[])["c1", "c2", "c10"]) folder.Write("", name, "1.jpg");
        CollectionAssert.AreEqual((string[])["c1", "c10", "c2"], Read(_ml.Data.LoadImageFolder(folder.Path, readableNames: true)).Select(row => row.Label).ToArray());
        AssertWarning("another order by their numbers", "not used");
    }

    [TestMethod]
    public void Every_split_gives_a_class_the_same_name()
    {
        using var folder = new TempFolder();
        folder.Write("n01\tcrane\nn02\tcrane\nn03\tgull\n", "words.txt");
        foreach (string path in (string[])["train/n01", "train/n02", "train/n03", "val/n02", "val/n03"]) folder.Write("", [.. path.Split('/'), "1.jpg"]);
        string[] Labels(ImageFolderSplit split) => [.. Read(_ml.Data.LoadImageFolder(folder.Path, split, readableNames: true)).Select(row => row.Label)];
        CollectionAssert.AreEqual((string[])["crane (n01)", "crane (n02)", "gull"], Labels(ImageFolderSplit.Train));
        CollectionAssert.AreEqual((string[])["crane (n02)", "gull"], Labels(ImageFolderSplit.Validation));
        Assert.IsEmpty(_log.Warnings);
    }

    [TestMethod]
    public void Birds_are_called_by_their_names()
    {
        using var folder = new TempFolder();
        WriteCub(folder);
        folder.Write("1 001.Black_footed_Albatross\n2 002.Bobolink\n", "classes.txt");
        CollectionAssert.AreEqual(
            (string[])["Black footed Albatross", "Black footed Albatross", "Bobolink"],
            Read(_ml.Data.LoadImageFolder(folder.Path, readableNames: true)).Select(row => row.Label).ToArray());
    }

    private void AssertWarning(params string[] parts)
    {
        foreach (string part in parts) StringAssert.Contains(_log.Warnings.Single(), part);
    }

    private static void AssertRows(TempFolder folder, List<Row> rows, params string[] expected) => CollectionAssert.AreEqual(
        expected, rows.Select(row => $"{Path.GetRelativePath(folder.Path, row.ImagePath).Replace('\\', '/')} {row.Label}").ToArray());

    private List<Row> Load(string path, ImageFolderSplit split = ImageFolderSplit.All) =>
        [.. Read(_ml.Data.LoadImageFolder(path, split))];

    private IEnumerable<Row> Read(IDataView view) => _ml.Data.CreateEnumerable<Row>(view, reuseRowObject: false);

    public sealed class Row
    {
        public string ImagePath { get; set; } = "";

        public string Label { get; set; } = "";
    }
}
