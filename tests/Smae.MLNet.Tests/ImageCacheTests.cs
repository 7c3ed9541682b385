using System.Security.Cryptography;
using Smae.Training;

namespace Smae.MLNet.Tests;

/// <summary>Decoded images that are kept from run to run.</summary>
[TestClass]
public sealed class ImageCacheTests : IDisposable
{
    private const int Count = 12;
    private readonly MLContext _ml = new(seed: 1);
    private readonly LogRecorder _log;
    private readonly TempFolder _folder = new(), _cache = new();

    public ImageCacheTests()
    {
        _log = new LogRecorder(_ml);
        TestImages.WriteFolder(_folder, Count);
    }

    private ImageCacheOptions Options => new() { Directory = _cache.Path };

    private ImageReadOptions Reading => new() { Cache = Options };

    private string AnyImage => _folder.At("disc", "image004.png");

    private bool Reused => _log.Infos.Any(message => message.Contains("of an earlier run"));

    public void Dispose()
    {
        _folder.Dispose();
        _cache.Dispose();
    }

    [TestMethod]
    public void The_next_run_reads_the_file_and_decodes_nothing()
    {
        string first = Load();
        Assert.IsFalse(Reused);
        Assert.HasCount(1, Directory.GetFiles(_cache.Path, "*.images"));
        // Nothing would be left to decode: the same length and time, and no image.
        DateTime written = File.GetLastWriteTimeUtc(AnyImage);
        File.WriteAllBytes(AnyImage, new byte[new FileInfo(AnyImage).Length]);
        File.SetLastWriteTimeUtc(AnyImage, written);
        Assert.AreEqual(first, Load());
        Assert.IsTrue(Reused);
        Assert.HasCount(0, _log.Warnings);
        Assert.AreEqual(first, Load(TestModels.Preprocessing with { Mean = [0, 0, 0] }), "Pixels are kept as they are before normalisation.");
    }

    [TestMethod]
    public void An_image_that_changes_is_decoded_anew_and_so_are_all()
    {
        string first = Load();
        TestImages.Write(AnyImage, 1);
        string second = Load();
        Assert.AreNotEqual(first, second);
        Assert.IsFalse(Reused);
        Assert.AreEqual(second, Load());
        Assert.IsTrue(Reused);
        Assert.HasCount(1, Directory.GetFiles(_cache.Path), "The old file is replaced.");
    }

    [TestMethod]
    public void A_time_of_change_another_list_and_another_size_are_other_images()
    {
        Load();
        File.SetLastWriteTimeUtc(AnyImage, DateTime.UtcNow.AddMinutes(1));
        Load();
        Load(TestModels.Preprocessing with { Height = 8 });
        Load(TestModels.Preprocessing with { Resize = ResizeMode.Pad });
        File.Delete(AnyImage);
        Load();
        Assert.IsFalse(Reused);
        Assert.HasCount(4, Directory.GetFiles(_cache.Path));
    }

    [TestMethod]
    public void A_torn_file_is_named_and_made_anew()
    {
        string first = Load(), file = Directory.GetFiles(_cache.Path).Single();
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..1000]);
        Assert.AreEqual(first, Load());
        Assert.IsFalse(Reused);
        StringAssert.Contains(_log.Warnings.Single(), file);
        Assert.AreEqual(first, Load());
        Assert.IsTrue(Reused);
    }

    [TestMethod]
    public void Labels_and_broken_images_are_the_same_from_the_file()
    {
        string broken = TestImages.Truncate(AnyImage);
        var rows = new List<PathRow>();
        foreach (var row in _ml.Data.CreateEnumerable<PathRow>(_ml.Data.LoadImageFolder(_folder.Path), reuseRowObject: false))
            rows.Add(new PathRow { ImagePath = row.ImagePath, Label = rows.Count == 5 ? "unknown" : row.Label });
        var data = _ml.Data.LoadFromEnumerable(rows);
        var keys = _ml.Transforms.Conversion.MapValueToKey("Label", keyData: _ml.Data.LoadFromEnumerable(
            TestImages.Classes.Select(name => new ClassRow { Label = name }).ToList())).Fit(data).Transform(data);
        var (first, firstLabels) = LoadLabelled(keys, BrokenImagePolicy.Skip);
        string[] warnings = [.. _log.Warnings];
        Assert.HasCount(3, warnings);
        StringAssert.Contains(warnings[0], broken);
        var (second, secondLabels) = LoadLabelled(keys, BrokenImagePolicy.Skip);
        Assert.IsTrue(Reused);
        Assert.AreEqual(first, second);
        Assert.HasCount(Count - 2, firstLabels);
        CollectionAssert.AreEqual(firstLabels, secondLabels);
        CollectionAssert.AreEqual(warnings, _log.Warnings.Skip(3).ToArray());
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => LoadLabelled(keys, BrokenImagePolicy.Fail)).Message, broken);
    }

    [TestMethod]
    public void A_file_that_could_not_be_read_is_tried_again_and_one_that_is_no_image_is_not()
    {
        string whole = Load(), broken = _folder.Write("no image", "disc", "broken.png");
        Directory.Delete(_cache.Path, recursive: true);
        var reading = Reading with { BrokenImages = BrokenImagePolicy.Skip };
        using (new FileStream(AnyImage, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
            Assert.AreEqual(Count - 1, Read(), "Another process holds it.");
            Assert.AreEqual(Count - 1, Read());
            Assert.IsTrue(Reused, "It still does: nothing else is decoded for that.");
        }
        int infos = _log.Infos.Count;
        Assert.AreEqual(Count, Read());
        Assert.IsTrue(_log.Infos.Skip(infos).Any(message => message.Contains("can be read that could not")));
        infos = _log.Infos.Count;
        int warnings = _log.Warnings.Count;
        Assert.AreEqual(Count, Read());
        Assert.IsTrue(_log.Infos.Skip(infos).Any(message => message.Contains("of an earlier run")));
        Assert.HasCount(2, _log.Warnings.Skip(warnings).ToArray());
        StringAssert.Contains(_log.Warnings[warnings], broken);
        File.Delete(broken);
        Assert.AreEqual(whole, Load());

        long Read()
        {
            using var store = _ml.Data.LoadImageStore(_ml.Data.LoadImageFolder(_folder.Path), "ImagePath", TestModels.Preprocessing, reading);
            return store.Count;
        }
    }

    [TestMethod]
    public void A_file_that_was_held_open_and_one_that_was_too_large_are_read_by_the_next_run()
    {
        Drawings.Write(_folder.At(TestImages.Classes[0], "large.png"), 1200, 1000, (_, _) => SkiaSharp.SKColors.Red);
        var reading = Reading with { BrokenImages = BrokenImagePolicy.Skip };
        long Loaded(int maxMegapixels)
        {
            using var store = _ml.Data.LoadImageStore(
                _ml.Data.LoadImageFolder(_folder.Path), "ImagePath", TestModels.Preprocessing, reading with { MaxMegapixels = maxMegapixels });
            return store.Count;
        }

        using (new FileStream(AnyImage, FileMode.Open, FileAccess.Read, FileShare.None)) Assert.AreEqual(Count, Loaded(100));
        Assert.AreEqual(Count, Loaded(1));
        Assert.AreEqual(Count + 1, Loaded(100));
        Assert.AreEqual(Count + 1, Loaded(100));
        Assert.IsTrue(Reused);
    }

    [TestMethod]
    public void Columns_other_than_paths_are_not_kept()
    {
        var data = _ml.Data.LoadFromEnumerable([new BytesRow { Bytes = File.ReadAllBytes(AnyImage) }]);
        for (int run = 0; run < 2; run++)
        {
            using var store = _ml.Data.LoadImageStore(data, "Bytes", TestModels.Preprocessing, Reading);
            Assert.AreEqual(1, store.Count);
        }
        Assert.HasCount(0, Directory.GetFileSystemEntries(_cache.Path));
    }

    [TestMethod]
    public void Rows_in_another_order_each_time_are_not_kept()
    {
        int pass = 0;
        IEnumerable<PathRow> Rows()
        {
            int first = pass++;
            for (int i = first; i < first + Count; i++)
                yield return new PathRow { ImagePath = _folder.At(TestImages.Classes[i % Count % 2], $"image{i % Count:000}.png") };
        }

        using (var store = _ml.Data.LoadImageStore(_ml.Data.LoadFromEnumerable(Rows()), "ImagePath", TestModels.Preprocessing, Reading))
            Assert.AreEqual(Count, store.Count);
        StringAssert.Contains(_log.Warnings.Single(), "is not kept");
        Assert.HasCount(0, Directory.GetFileSystemEntries(_cache.Path));
    }

    [TestMethod]
    public void While_another_run_writes_the_file_this_one_goes_without()
    {
        string first = Load(), file = Directory.GetFiles(_cache.Path).Single();
        File.Delete(file);
        using (new FileStream(file + ".tmp", FileMode.Create, FileAccess.ReadWrite, FileShare.None))
            Assert.AreEqual(first, Load());
        Assert.IsFalse(File.Exists(file));
        Assert.IsTrue(_log.Infos.Any(message => message.Contains("Another run is writing")));
        Assert.HasCount(0, _log.Warnings);
    }

    [TestMethod]
    public void Pretraining_goes_the_same_way_from_the_file()
    {
        var options = TestModels.Options with { Seed = 1 };
        var reading = new ImageReadOptions { Cache = Options with { MemoryBudget = 0 } };
        var images = _ml.Data.LoadImageFolder(_folder.Path);
        double[] losses = [.. Enumerable.Range(0, 2).Select(_ =>
        {
            using var transformer = _ml.Transforms.MaePretrain("Embedding", "ImagePath", options, reading).Fit(images);
            return transformer.Pretraining!.LastLoss;
        })];
        Assert.IsTrue(Reused);
        Assert.AreEqual(losses[0], losses[1]);
    }

    /// <summary>A hash of the images of the folder.</summary>
    private string Load(ImagePreprocessing? preprocessing = null)
    {
        using var store = _ml.Data.LoadImageStore(
            _ml.Data.LoadImageFolder(_folder.Path), "ImagePath", preprocessing ?? TestModels.Preprocessing, Reading);
        return Hash(store);
    }

    private static string Hash(ImageStore store)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long i = 0; i < store.Count; i++)
            hash.AppendData(store[i]);
        return Convert.ToHexString(hash.GetCurrentHash());
    }

    private (string Hash, int[] Labels) LoadLabelled(IDataView data, BrokenImagePolicy policy)
    {
        var host = CatalogEnvironment.Of(_ml.Transforms).Register("Test");
        using var channel = host.Start("Test");
        var label = data.Schema["Label"];
        var loader = new ImageStoreLoader(new ImageDecoders(TestModels.Preprocessing), policy, host, channel, default, Options);
        var loaded = loader.Load(data, "ImagePath", LabelReader.OfKeys(label, LabelClasses.Of(label)), "test");
        using var store = loaded.Images;
        return (Hash(store), [.. Enumerable.Range(0, (int)loaded.Count).Select(i => loaded[i])]);
    }

    private sealed class ClassRow
    {
        public string Label { get; set; } = "";
    }
}
