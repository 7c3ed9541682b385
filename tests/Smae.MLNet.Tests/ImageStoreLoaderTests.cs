using Smae.Training;

namespace Smae.MLNet.Tests;

[TestClass]
public class ImageStoreLoaderTests
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly LogRecorder _log;

    public ImageStoreLoaderTests() => _log = new LogRecorder(_ml);

    [TestMethod]
    public void Images_are_stored_in_the_order_of_the_rows()
    {
        using var folder = new TempFolder();
        TestImages.WriteFolder(folder, 10, TestModels.Size, TestModels.Size);
        // More rows than a chunk has, each image in turn.
        var rows = Enumerable.Range(0, 300)
            .Select(i => new PathRow { ImagePath = folder.At(TestImages.Classes[i % 10 % 2], $"image{i % 10:000}.png") });
        using var store = Load(_ml.Data.LoadFromEnumerable(rows.ToList()));
        Assert.AreEqual(300, store.Count);
        for (int i = 0; i < 300; i++)
        {
            using var image = TestImages.Draw(i % 10, TestModels.Size, TestModels.Size);
            byte[] expected = [.. image.Pixels.ToArray().Where((_, at) => at % 4 != 3)];
            CollectionAssert.AreEqual(expected, store[i].ToArray(), $"row {i}");
        }
        Assert.Contains("300 images decoded", string.Join('\n', _log.Infos));
    }

    [TestMethod]
    public void Broken_images_are_left_out_counted_and_the_first_ten_named()
    {
        using var folder = new TempFolder();
        var rows = Enumerable.Range(0, 4).Select(i => new PathRow { ImagePath = TestImages.Write(folder.At($"good{i}.png"), i) }).ToList();
        for (int i = 0; i < 6; i++)
        {
            rows.Insert(i, new PathRow { ImagePath = TestImages.Truncate(TestImages.Write(folder.At($"cut{i}.jpg"), i)) });
            rows.Add(new PathRow { ImagePath = folder.Write("I am text", $"text{i}.jpg") });
        }
        using var store = Load(_ml.Data.LoadFromEnumerable(rows));
        Assert.AreEqual(4, store.Count);
        Assert.HasCount(11, _log.Warnings);
        StringAssert.Contains(_log.Warnings[0], "cut0.jpg: truncated JPEG");
        StringAssert.Contains(_log.Warnings[^1], "12 of 16 images are broken");
    }

    [TestMethod]
    public void A_broken_image_is_an_error_by_option()
    {
        using var folder = new TempFolder();
        TestImages.WriteFolder(folder, 2);
        string text = folder.Write("I am text", "disc", "text.jpg");
        var error = Assert.ThrowsExactly<InvalidDataException>(() => Load(_ml.Data.LoadImageFolder(folder.Path), BrokenImagePolicy.Fail));
        StringAssert.Contains(error.Message, text);
    }

    [TestMethod]
    public void Nothing_but_broken_images_is_an_error()
    {
        using var folder = new TempFolder();
        folder.Write("I am text", "a.jpg");
        folder.Write("I am text too", "b.jpg");
        var error = Assert.ThrowsExactly<InvalidDataException>(() => Load(_ml.Data.LoadImageFolder(folder.Path)));
        StringAssert.Contains(error.Message, "None of the 2 images of column 'ImagePath'");
        StringAssert.Contains(error.Message, "a.jpg");
    }

    [TestMethod]
    public void No_rows_are_an_error()
    {
        var error = Assert.ThrowsExactly<InvalidDataException>(() => Load(_ml.Data.LoadFromEnumerable(new List<PathRow>())));
        StringAssert.Contains(error.Message, "no rows");
    }

    [TestMethod]
    public void Loading_can_be_cancelled()
    {
        using var folder = new TempFolder();
        TestImages.WriteFolder(folder, 2);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => Load(_ml.Data.LoadImageFolder(folder.Path), cancellation: cancelled.Token));
    }

    private ImageStore Load(IDataView data, BrokenImagePolicy policy = BrokenImagePolicy.Skip, CancellationToken cancellation = default)
    {
        var host = CatalogEnvironment.Of(_ml.Transforms).Register("Test");
        using var channel = host.Start("Test");
        return new ImageStoreLoader(new ImageDecoders(TestModels.Preprocessing), policy, host, channel, cancellation).Load(data, "ImagePath");
    }
}
