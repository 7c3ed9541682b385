using Microsoft.ML.Transforms.Image;
using SkiaSharp;
using Smae.Training;

namespace Smae.MLNet.Tests;

/// <summary>Saved models: they hold ML.NET's own transformers alone, and give the same numbers.</summary>
[TestClass]
public sealed class SavedModelTests : EmbeddingFixture
{
    private string Zip => At("model.zip");

    [TestMethod]
    [DataRow(ResizeMode.Crop, 3)]
    [DataRow(ResizeMode.Pad, 3)]
    [DataRow(ResizeMode.Crop, 1)]
    [DataRow(ResizeMode.Pad, 1)]
    [DataRow(ResizeMode.Crop, 4)]
    public void An_encoder_over_paths_is_loaded_as_transformers_of_ML_NET_and_embeds_the_same(ResizeMode resize, int channels)
    {
        using var encoder = EncoderOf(resize, channels);
        var transformer = Context.Transforms.MaeEmbedding("Embedding", "ImagePath", encoder).Fit(Images);
        var some = Context.Data.TakeRows(Images, 5);
        var expected = Read<EmbeddedRow>(transformer.Transform(some));
        Context.Model.Save(transformer, Images.Schema, Zip);

        var loaded = new MLContext().Model.Load(Zip, out _);
        var chain = (IEnumerable<ITransformer>)loaded;
        Assert.IsTrue(Flat(chain).All(t => t.GetType().Namespace!.StartsWith("Microsoft.ML")), string.Join(", ", Flat(chain).Select(t => t.GetType())));
        var view = loaded.Transform(some);
        Assert.AreEqual(transformer.Transform(some).Schema["Embedding"].Type, view.Schema["Embedding"].Type);
        CollectionAssert.AreEqual(new[] { "ImagePath", "Label", "Embedding" }, view.Schema.Where(c => !c.IsHidden).Select(c => c.Name).ToArray());
        foreach (var (before, after) in expected.Zip(Read<EmbeddedRow>(view)))
            AssertClose(before.Embedding, after.Embedding, before.ImagePath);
        (loaded as IDisposable)?.Dispose();
    }

    [TestMethod]
    [DataRow(ResizeMode.Crop, 3)]
    [DataRow(ResizeMode.Pad, 3)]
    [DataRow(ResizeMode.Crop, 1)]
    [DataRow(ResizeMode.Crop, 4)]
    public void Transparent_images_and_images_of_any_size_are_embedded_the_same(ResizeMode resize, int channels)
    {
        using var encoder = EncoderOf(resize, channels, [1, 0.5f, 0]);
        // A grid without whole transparent rows: of the model's size, larger, and of sizes where ResizeImages ends a pixel before the edge.
        List<PathRow> rows = [.. new[] { (16, 16), (48, 40), (41, 47), (82, 20), (7, 9) }.SelectMany((size, i) => (PathRow[])
        [
            new() { ImagePath = Drawings.Write(At($"see-through{i}.png"), size.Item1, size.Item2,
                (x, y) => new SKColor((byte)(x * 5), 40, (byte)(y * 6), (byte)((x + y) * 9 % 256))) },
            new() { ImagePath = TestImages.Write(At($"opaque{i}.png"), i, size.Item1, size.Item2) },
        ])];
        var data = Context.Data.LoadFromEnumerable(rows);
        var transformer = Context.Transforms.MaeEmbedding("Embedding", "ImagePath", encoder).Fit(data);
        Context.Model.Save(transformer, data.Schema, Zip);
        var loaded = new MLContext().Model.Load(Zip, out _);
        foreach (var (before, after) in Read<EmbeddedRow>(transformer.Transform(data)).Zip(Read<EmbeddedRow>(loaded.Transform(data))))
            AssertClose(before.Embedding, after.Embedding, before.ImagePath);
        (loaded as IDisposable)?.Dispose();
    }

    [TestMethod]
    public void Large_JPEGs_which_ML_NET_decodes_whole_are_embedded_nearly_the_same()
    {
        List<PathRow> rows = [.. Enumerable.Range(0, 10).Select(i => new PathRow { ImagePath = TestImages.Write(At($"large{i}.jpg"), i, 200 + i, 150) })];
        var data = Context.Data.LoadFromEnumerable(rows);
        var transformer = Context.Transforms.MaeEmbedding("Embedding", "ImagePath", Encoder).Fit(data);
        Context.Model.Save(transformer, data.Schema, Zip);
        var loaded = new MLContext().Model.Load(Zip, out _);
        foreach (var (before, after) in Read<EmbeddedRow>(transformer.Transform(data)).Zip(Read<EmbeddedRow>(loaded.Transform(data))))
        {
            double length = Math.Sqrt(before.Embedding.Sum(v => v * v));
            double apart = Math.Sqrt(before.Embedding.Zip(after.Embedding, (b, a) => (b - a) * (b - a)).Sum());
            Assert.IsLessThan(0.15, apart / length, before.ImagePath);
        }
        (loaded as IDisposable)?.Dispose();
    }

    [TestMethod]
    public void Stretching_is_refused_since_ResizeImages_picks_single_pixels()
    {
        using var encoder = EncoderOf(ResizeMode.Stretch, 3);
        var transformer = Context.Transforms.MaeEmbedding("Embedding", "ImagePath", encoder).Fit(Images);
        var error = Assert.ThrowsExactly<NotSupportedException>(() => Context.Model.SaveAtomically(transformer, Images.Schema, Zip));
        StringAssert.Contains(error.Message, "ResizeMode.Stretch");
        Assert.IsFalse(File.Exists(Zip));
    }

    [TestMethod]
    [DataRow(0)]
    [DataRow(1)]
    [DataRow(2)]
    public void An_empty_path_is_an_error_that_says_so_wherever_it_comes(int place)
    {
        var transformer = Context.Transforms.MaeEmbedding("Embedding", "ImagePath", Encoder).Fit(Images);
        Context.Model.Save(transformer, Images.Schema, Zip);
        var loaded = new MLContext().Model.Load(Zip, out _);
        List<PathRow> rows = [new() { ImagePath = AnyImage() }, new() { ImagePath = AnyImage() }];
        rows.Insert(place, new() { ImagePath = "" });
        IDataView embedded = loaded.Transform(Context.Data.LoadFromEnumerable(rows));
        var error = Assert.Throws<Exception>(() => Read<EmbeddedRow>(embedded)).GetBaseException();   // ML.NET reads on threads
        StringAssert.Contains(error.Message, "(the path of this row's image is empty)");
        (loaded as IDisposable)?.Dispose();
    }

    [TestMethod]
    public void An_encoder_over_images_embeds_an_image_that_an_application_has_in_memory()
    {
        var empty = Context.Data.LoadFromEnumerable<AnySizeRow>([]);
        var transformer = Context.Transforms.MaeEmbedding("Embedding", "Image", Encoder).Fit(empty);
        Context.Model.SaveAtomically(transformer, empty.Schema, Zip);

        var other = new MLContext();
        var loaded = other.Model.Load(Zip, out _);
        using var engine = other.Model.CreatePredictionEngine<AnySizeRow, EmbeddingOnly>(loaded);
        Assert.IsTrue(engine.Predict(new AnySizeRow()).Embedding.All(float.IsNaN), "no image");
        for (int i = 0; i < 3; i++)
        {
            string path = At("disc", $"image{2 * i:000}.png");
            AssertClose(Expected(path), engine.Predict(new AnySizeRow { Image = MLImage.CreateFromFile(path) }).Embedding, path);
        }
    }

    [TestMethod]
    public void A_predictor_trained_on_embeddings_accepts_those_of_the_saved_model()
    {
        var pipeline = Context.Transforms.Conversion.MapValueToKey("Label")
            .Append(Context.Transforms.MaeEmbedding("Embedding", "ImagePath", Encoder))
            .Append(Context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Label", "Embedding"))
            .Append(Context.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
        var model = pipeline.Fit(Images);
        var some = Context.Data.TakeRows(Images, 10);
        var expected = Read<PredictedRow>(model.Transform(some));
        Context.Model.SaveAtomically(model, Images.Schema, Zip);

        var found = Read<PredictedRow>(new MLContext().Model.Load(Zip, out var schema).Transform(some));
        CollectionAssert.AreEqual(new[] { "ImagePath", "Label" }, schema.Select(c => c.Name).ToArray());
        CollectionAssert.AreEqual(expected.Select(r => r.PredictedLabel).ToArray(), found.Select(r => r.PredictedLabel).ToArray());
        foreach (var (before, after) in expected.Zip(found))
            AssertClose(before.Score, after.Score, "score");
    }

    [TestMethod]
    public void A_model_over_bytes_says_why_it_cannot_be_saved_and_leaves_the_old_file()
    {
        var bytes = Context.Data.LoadFromEnumerable([new BytesRow { Bytes = File.ReadAllBytes(AnyImage()) }]);
        var transformer = Context.Transforms.MaeEmbedding("Embedding", "Bytes", Encoder).Fit(bytes);
        File.WriteAllText(Zip, "the old file");
        var error = Assert.ThrowsExactly<NotSupportedException>(() => Context.Model.SaveAtomically(transformer, bytes.Schema, Zip));
        StringAssert.Contains(error.Message, "'Bytes'");
        Assert.AreEqual("the old file", File.ReadAllText(Zip));
        Assert.HasCount(0, Directory.GetFiles(Path.GetDirectoryName(Zip)!, "*.tmp"));
    }

    [TestMethod]
    public void Saving_leaves_no_temporary_file()
    {
        var transformer = Context.Transforms.MaeEmbedding("Embedding", "ImagePath", Encoder).Fit(Images);
        Assert.IsEmpty(TempFolder.LeftBehind(() => Context.Model.Save(transformer, Images.Schema, Zip)));
        string inNewFolder = Path.Combine(Path.GetDirectoryName(Zip)!, "new", "folder", "model.zip");
        Context.Model.SaveAtomically(transformer, Images.Schema, inNewFolder);
        Assert.HasCount(1, Directory.GetFiles(Path.GetDirectoryName(inNewFolder)!));
    }

    /// <summary>As where a link names the model that is served now.</summary>
    [TestMethod]
    public void The_file_that_a_link_leads_to_is_replaced()
    {
        var transformer = Context.Transforms.MaeEmbedding("Embedding", "ImagePath", Encoder).Fit(Images);
        string link = Zip + ".link";
        File.CreateSymbolicLink(link, Zip);
        File.WriteAllText(Zip, "the model before");
        Context.Model.SaveAtomically(transformer, Images.Schema, link);
        Assert.AreEqual(Zip, new FileInfo(link).LinkTarget);
        Context.Model.Load(Zip, out DataViewSchema schema);
        Assert.IsNotNull(schema.GetColumnOrNull("ImagePath"));
    }

    private static ImageEncoder EncoderOf(ResizeMode resize, int channels, float[]? background = null) => new(
        new VisionTransformer(TestModels.Config with { Channels = channels }, 1),
        new ImagePreprocessing
        {
            Height = TestModels.Size, Width = TestModels.Size, Channels = channels, Resize = resize, Background = background!,
            Mean = [.. Enumerable.Repeat(0.4f, channels)], StandardDeviation = [.. Enumerable.Repeat(0.3f, channels)],
        });

    private static IEnumerable<ITransformer> Flat(IEnumerable<ITransformer> chain) =>
        chain.SelectMany(t => t is IEnumerable<ITransformer> inner ? Flat(inner) : [t]);

    private sealed class AnySizeRow
    {
        [ImageType(1, 1)] // Nominal: ML.NET wants a size, and ResizeImages looks at the image itself.
        public MLImage? Image { get; set; }
    }

    private sealed class PredictedRow
    {
        public float[] Score { get; set; } = [];

        public string PredictedLabel { get; set; } = "";
    }
}
