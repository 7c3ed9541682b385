using Microsoft.ML.Transforms.Image;
using Smae.Training;

namespace Smae.MLNet.Tests;

/// <summary>Pictures of reconstructions as a column of a pipeline.</summary>
[TestClass]
public sealed class MaeReconstructTests : EmbeddingFixture
{
    private const int Size = TestModels.Size, Patch = 4;

    private readonly MaskedAutoencoder _autoencoder = new(TestModels.Config, TestModels.Options.Decoder, seed: 1);
    private readonly IDataView _few;

    public MaeReconstructTests() => _few = Context.Data.Cache(Context.Data.TakeRows(Images, 20));

    [TestMethod]
    public void The_masked_picture_shows_a_quarter_of_the_patches_and_the_reconstruction_keeps_them()
    {
        var options = new MaeReconstructOptions { View = ReconstructionView.SideBySide, Seed = 7 };
        var (path, picture) = ReadPictures<WidePictureRow>(Transformed(options, _few))[0];
        Assert.HasCount(3 * Size * Size * 3, picture);
        byte[] expected = Pixels(path);
        int shown = 0, changed = 0;
        for (int y = 0; y < Size; y += Patch)
        {
            for (int x = 0; x < Size; x += Patch)
            {
                CollectionAssert.AreEqual(Cut(expected, Size, x, y), Cut(picture, 3 * Size, x, y), "The original stands on the left.");
                bool visible = Cut(expected, Size, x, y).SequenceEqual(Cut(picture, 3 * Size, Size + x, y));
                bool kept = Cut(expected, Size, x, y).SequenceEqual(Cut(picture, 3 * Size, 2 * Size + x, y));
                Assert.IsTrue(kept || !visible, "What was seen is not changed.");
                shown += visible ? 1 : 0;
                changed += kept ? 0 : 1;
                if (!visible)
                    CollectionAssert.AreEqual(new byte[] { 124, 116, 104 }, Cut(picture, 3 * Size, Size + x, y)[..3], "The mean colour.");
            }
        }
        Assert.AreEqual(4, shown);
        Assert.IsGreaterThan(6, changed);
    }

    [TestMethod]
    public void An_image_is_masked_the_same_way_under_one_seed_wherever_it_stands()
    {
        var options = new MaeReconstructOptions { View = ReconstructionView.Masked, Seed = 7 };
        var inOrder = Pictures(options);
        var shuffled = Pictures(options, Context.Data.ShuffleRows(_few, seed: 2)).ToDictionary(row => row.Path, row => row.Picture);
        foreach (var (path, picture) in inOrder)
            CollectionAssert.AreEqual(shuffled[path], picture);
        Assert.IsFalse(inOrder[0].Picture.SequenceEqual(Pictures(options with { Seed = 8 })[0].Picture));

        var transformer = Context.Transforms.MaeReconstruct("Picture", "ImagePath", _autoencoder, options).Fit(Images);
        using var engine = Context.Model.CreatePredictionEngine<PathRow, PictureRow>(transformer);
        using var predicted = engine.Predict(new PathRow { ImagePath = inOrder[3].Path }).Picture;
        CollectionAssert.AreEqual(inOrder[3].Picture, Rgb(predicted));
    }

    [TestMethod]
    [DataRow(DecoderTarget.Features, "predicts features")]
    [DataRow(DecoderTarget.None, "predicts nothing")]
    public void What_predicts_no_pixels_is_refused_before_a_picture_is_asked_for(DecoderTarget target, string reason)
    {
        using var autoencoder = new MaskedAutoencoder(TestModels.Config, target: target);
        var error = Assert.ThrowsExactly<ArgumentException>(
            () => Context.Transforms.MaeReconstruct("Picture", "ImagePath", autoencoder, new MaeReconstructOptions()));
        StringAssert.Contains(error.Message, reason);
        error = Assert.ThrowsExactly<ArgumentException>(
            () => autoencoder.ExportOnnx("unwritten.onnx", TestModels.Options with { Encoder = TestModels.Config }));
        StringAssert.Contains(error.Message, reason);
    }

    [TestMethod]
    public void What_pretraining_made_is_shown_as_it_was_pretrained()
    {
        var options = TestModels.Options with { Masking = Masking.Random(0.5), Mean = [0, 0, 0], Seed = 1 };
        using var embedder = Context.Transforms.MaePretrain("Embedding", "ImagePath", options).Fit(_few);
        var transformer = Context.Transforms
            .MaeReconstruct("Picture", "ImagePath", embedder, new MaeReconstructOptions { View = ReconstructionView.Masked }).Fit(Images);
        foreach (var (_, rgb) in ReadPictures<PictureRow>(transformer.Transform(_few)))
        {
            int black = Enumerable.Range(0, 16).Count(patch => Cut(rgb, Size, patch % 4 * Patch, patch / 4 * Patch).All(value => value == 0));
            Assert.AreEqual(8, black, "Half of the patches are hidden, and the mean colour is black.");
        }

        var encoderOnly = Context.Transforms.MaeEmbedding("Embedding", "ImagePath", Encoder).Fit(Images);
        var error = Assert.ThrowsExactly<ArgumentException>(() => Context.Transforms.MaeReconstruct("Picture", "ImagePath", encoderOnly));
        StringAssert.Contains(error.Message, "MaePretrain");
    }

    [TestMethod]
    public void Pictures_go_on_into_ml_nets_own_image_transforms_and_broken_ones_are_null()
    {
        string[] paths = [AnyImage(), "no such file", At("square", "image001.png")];
        var data = Context.Data.LoadFromEnumerable(paths.Select(path => new PathRow { ImagePath = path }).ToList());
        var pipeline = Context.Transforms.MaeReconstruct("Picture", "ImagePath", _autoencoder, new MaeReconstructOptions { Seed = 7 })
            .Append(Context.Transforms.ResizeImages("Small", 8, 8, "Picture"))
            .Append(Context.Transforms.ExtractPixels("Pixels", "Picture"));
        var transformed = pipeline.Fit(data).Transform(data);
        Assert.AreEqual(new ImageDataViewType(Size, Size), transformed.Schema["Picture"].Type);
        var pixels = Read<PixelsRow>(transformed);
        Assert.HasCount(3, pixels);
        Assert.IsTrue(pixels[0].Pixels.Any(value => value != 0));
        Assert.IsTrue(pixels[1].Pixels.All(value => value == 0), "ML.NET's zeros for a null image.");

        using var cursor = transformed.GetRowCursor([transformed.Schema["Picture"]]);
        var getter = cursor.GetGetter<MLImage>(transformed.Schema["Picture"]);
        MLImage image = null!;
        Assert.IsTrue(cursor.MoveNext());
        getter(ref image);
        var first = image;
        Assert.IsTrue(cursor.MoveNext());
        getter(ref image);
        Assert.IsNull(image);
        Assert.ThrowsExactly<InvalidOperationException>(() => _ = first.Width, "The image handed back was freed.");
    }

    [TestMethod]
    public void Wrong_options_are_all_named()
    {
        var options = new MaeReconstructOptions
        {
            View = (ReconstructionView)9, Masking = Masking.Random(0.99), Preprocessing = new ImagePreprocessing { Height = 8, Width = 8 },
        };
        var error = Assert.ThrowsExactly<ArgumentException>(() => Context.Transforms.MaeReconstruct("Picture", "ImagePath", _autoencoder, options));
        foreach (string part in new[] { "View is 9", "none visible", "8x8x3" })
            StringAssert.Contains(error.Message, part);
    }

    private List<(string Path, byte[] Picture)> Pictures(MaeReconstructOptions options, IDataView? data = null)
    {
        data ??= _few;
        return ReadPictures<PictureRow>(Transformed(options, data));
    }

    private IDataView Transformed(MaeReconstructOptions options, IDataView data) =>
        Context.Transforms.MaeReconstruct("Picture", "ImagePath", _autoencoder, options).Fit(data).Transform(data);

    // One row at a time: ML.NET hands the picture back to the getter for the next row, which frees it.
    private List<(string Path, byte[] Picture)> ReadPictures<TRow>(IDataView data)
        where TRow : class, IPictureRow, new() =>
        [.. Context.Data.CreateEnumerable<TRow>(data, reuseRowObject: false).Select(row => (row.ImagePath, Rgb(row.Picture)))];

    private static byte[] Pixels(string path)
    {
        byte[] pixels = new byte[TestModels.Preprocessing.ByteCount];
        Assert.IsNull(new ImageDecoders(TestModels.Preprocessing).Rent().DecodeFile(path, pixels));
        return pixels;
    }

    private static byte[] Rgb(MLImage image) => TestImages.Pixels(image, 3);

    private static byte[] Cut(byte[] rgb, int width, int x, int y) =>
        [.. Enumerable.Range(0, Patch).SelectMany(row => rgb.AsSpan(((y + row) * width + x) * 3, 3 * Patch).ToArray())];

    private interface IPictureRow
    {
        string ImagePath { get; }

        MLImage Picture { get; }
    }

    private sealed class PictureRow : IPictureRow
    {
        public string ImagePath { get; set; } = "";

        [ImageType(Size, Size)]
        public MLImage Picture { get; set; } = null!;
    }

    // ML.NET reads a column of pictures into a member only where an attribute has made the column's size known to it.
    private sealed class WidePictureRow : IPictureRow
    {
        public string ImagePath { get; set; } = "";

        [ImageType(Size, 3 * Size)]
        public MLImage Picture { get; set; } = null!;
    }

    private sealed class PixelsRow
    {
        public float[] Pixels { get; set; } = [];
    }
}
