using Microsoft.ML.Transforms.Image;
using SkiaSharp;
using Smae.Training;

namespace Smae.MLNet.Tests;

[TestClass]
public class ImageDecodingTests
{
    private readonly MLContext _ml = new(seed: 1);

    [TestMethod]
    [DataRow(ResizeMode.Crop, ImageResizingEstimator.ResizingKind.IsoCrop, 37, 23)]
    [DataRow(ResizeMode.Crop, ImageResizingEstimator.ResizingKind.IsoCrop, 23, 37)]
    [DataRow(ResizeMode.Pad, ImageResizingEstimator.ResizingKind.IsoPad, 37, 23)]
    [DataRow(ResizeMode.Crop, ImageResizingEstimator.ResizingKind.IsoCrop, 41, 47)]
    [DataRow(ResizeMode.Pad, ImageResizingEstimator.ResizingKind.IsoPad, 23, 37)]
    [DataRow(ResizeMode.Pad, ImageResizingEstimator.ResizingKind.IsoPad, 141, 247)]
    [DataRow(ResizeMode.Crop, ImageResizingEstimator.ResizingKind.IsoCrop, 14, 12)]
    public void Pixels_are_those_of_a_chain_of_mlnets_own_transformers(
        ResizeMode mode, ImageResizingEstimator.ResizingKind kind, int width, int height)
    {
        using var folder = new TempFolder();
        var preprocessing = new ImagePreprocessing { Height = 12, Width = 14, Resize = mode };
        var rows = new[] { "1.png", "2.jpg", "3.png" }
            .Select((name, i) => new PathRow { ImagePath = TestImages.Write(folder.At(name), i, width, height) }).ToList();
        var data = _ml.Data.LoadFromEnumerable(rows);

        var chain = _ml.Transforms.LoadImages("Image", "", "ImagePath")
            .Append(_ml.Transforms.ResizeImages("Image", preprocessing.Width, preprocessing.Height, "Image", kind))
            .Append(_ml.Transforms.ExtractPixels("Pixels", "Image", interleavePixelColors: true));
        var expected = _ml.Data.CreateEnumerable<PixelRow>(chain.Fit(data).Transform(data), reuseRowObject: false)
            .Select(row => row.Pixels).ToList();

        byte[][] found = Decode(data, "ImagePath", preprocessing);
        Assert.HasCount(3, found);
        bool halved = new ImageFitter(preprocessing).HalvingsOf(new SKSizeI(width, height)) > 0;
        for (int i = 0; i < found.Length; i++)
            if (halved && rows[i].ImagePath.EndsWith(".jpg", StringComparison.Ordinal))   // which ML.NET decodes whole
                Assert.IsLessThan(3, expected[i].Zip(found[i], (whole, reduced) => Math.Abs(whole - reduced)).Average(), $"image {i}");
            else CollectionAssert.AreEqual(expected[i], Array.ConvertAll(found[i], value => (float)value), $"image {i}");
    }

    [TestMethod]
    public void Paths_bytes_and_images_give_the_same_pixels()
    {
        using var folder = new TempFolder();
        // Of the wanted size: how an image in memory is stored may change the last bit of what resizing makes of it.
        var paths = Enumerable.Range(0, 5).Select(i => TestImages.Write(folder.At($"{i}.png"), i, TestModels.Size, TestModels.Size)).ToList();
        var byPath = _ml.Data.LoadFromEnumerable(paths.Select(path => new PathRow { ImagePath = path }).ToList());
        var byBytes = _ml.Data.LoadFromEnumerable(paths.Select(path => new BytesRow { Bytes = File.ReadAllBytes(path) }).ToList());
        var byImage = _ml.Data.LoadFromEnumerable(
            paths.Select((_, i) => new ImageRow { Image = TestImages.Draw(i, TestModels.Size, TestModels.Size) }).ToList());
        var loading = _ml.Transforms.LoadImages("Image", "", "ImagePath").Fit(byPath).Transform(byPath);

        byte[][] expected = Decode(byPath, "ImagePath", TestModels.Preprocessing);
        AssertSame(expected, Decode(byBytes, "Bytes", TestModels.Preprocessing));
        AssertSame(expected, Decode(byImage, "Image", TestModels.Preprocessing));
        AssertSame(expected, Decode(loading, "Image", TestModels.Preprocessing));
    }

    [TestMethod]
    [DataRow(MLPixelFormat.Rgba32)]
    [DataRow(MLPixelFormat.Bgra32)]
    public void Channels_come_in_the_order_red_green_blue_alpha_whatever_the_image_stores(MLPixelFormat format)
    {
        byte[] colours = [250, 100, 50, 255, 10, 200, 30, 255, 0, 0, 0, 255, 255, 255, 255, 255];
        byte[] stored = (byte[])colours.Clone();
        if (format == MLPixelFormat.Bgra32)
        {
            for (int i = 0; i < stored.Length; i += 4)
                (stored[i], stored[i + 2]) = (stored[i + 2], stored[i]);
        }
        using var image = MLImage.CreateFromPixels(2, 2, format, stored);
        CollectionAssert.AreEqual(colours, TestImages.Pixels(image, 4));
        CollectionAssert.AreEqual(colours.Where((_, i) => i % 4 != 3).ToArray(), TestImages.Pixels(image, 3));
        // 0.299 R + 0.587 G + 0.114 B
        CollectionAssert.AreEqual(new byte[] { 139, 124, 0, 255 }, TestImages.Pixels(image, 1));
    }

    [TestMethod]
    public void Only_1_3_or_4_channels_are_possible()
    {
        var error = Assert.ThrowsExactly<ArgumentException>(
            () => new ImageDecoders(new ImagePreprocessing { Height = 4, Width = 4, Channels = 2 }));
        StringAssert.Contains(error.Message, "2 channels");
    }

    [TestMethod]
    public void Images_in_memory_are_not_disposed()
    {
        var rows = Enumerable.Range(0, 3).Select(i => new ImageRow { Image = TestImages.Draw(i, TestModels.Size, TestModels.Size) }).ToList();
        var data = _ml.Data.LoadFromEnumerable(rows);
        byte[][] first = Decode(data, "Image", TestModels.Preprocessing);
        AssertSame(first, Decode(data, "Image", TestModels.Preprocessing));
    }

    [TestMethod]
    public void A_disposed_image_is_an_error_that_explains_itself()
    {
        var row = new ImageRow { Image = TestImages.Draw(1) };
        row.Image.Dispose();
        var error = Assert.ThrowsExactly<InvalidOperationException>(
            () => Decode(_ml.Data.LoadFromEnumerable([row]), "Image", TestModels.Preprocessing));
        StringAssert.Contains(error.Message, "disposed");
    }

    [TestMethod]
    public void Every_way_to_be_broken_has_a_message_with_the_path()
    {
        using var folder = new TempFolder();
        string text = folder.Write("hello, I am text", "text.jpg"), empty = folder.Write("", "empty.png"), missing = folder.At("missing.png");
        string truncated = TestImages.Truncate(TestImages.Write(folder.At("cut.jpg"), 1, 64, 64));
        AssertProblem(text, text, "not an image", "16 bytes");
        AssertProblem(empty, empty, "empty");
        AssertProblem(missing, missing, "cannot be read");
        AssertProblem(folder.Path, folder.Path, "cannot be read: it is a folder");
        AssertProblem(truncated, truncated, "truncated JPEG");
        AssertProblem("", "path", "empty");
    }

    private static void AssertProblem(string path, params string[] words)
    {
        var decoder = new ImageDecoders(TestModels.Preprocessing).Rent();
        var problem = decoder.DecodeFile(path, new byte[TestModels.Preprocessing.ByteCount]);
        Assert.IsNotNull(problem, path);
        foreach (string word in words)
            StringAssert.Contains(problem.Message, word);
    }

    private byte[][] Decode(IDataView data, string column, ImagePreprocessing preprocessing)
    {
        var host = CatalogEnvironment.Of(_ml.Transforms).Register("Test");
        using var channel = host.Start("Test");
        using var store = new ImageStoreLoader(new ImageDecoders(preprocessing), BrokenImagePolicy.Fail, host, channel, default).Load(data, column);
        return [.. Enumerable.Range(0, (int)store.Count).Select(i => store[i].ToArray())];
    }

    private static void AssertSame(byte[][] expected, byte[][] found)
    {
        Assert.HasCount(expected.Length, found);
        for (int i = 0; i < found.Length; i++)
            CollectionAssert.AreEqual(expected[i], found[i], $"image {i}");
    }

    private sealed class PixelRow
    {
        public float[] Pixels { get; set; } = [];
    }
}
