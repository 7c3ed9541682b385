using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
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
    [DataRow(ResizeMode.Stretch, 3)]
    [DataRow(ResizeMode.Crop, 1)]
    [DataRow(ResizeMode.Crop, 4)]
    public void An_encoder_over_paths_is_loaded_as_transformers_of_ML_NET_and_embeds_the_same(ResizeMode resize, int channels)
    {
        using var encoder = new ImageEncoder(
            new VisionTransformer(TestModels.Config with { Channels = channels }, 1),
            new ImagePreprocessing
            {
                Height = TestModels.Size, Width = TestModels.Size, Channels = channels, Resize = resize,
                Mean = [.. Enumerable.Repeat(0.4f, channels)], StandardDeviation = [.. Enumerable.Repeat(0.3f, channels)],
            });
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
    public void An_encoder_over_images_embeds_an_image_that_an_application_has_in_memory()
    {
        var empty = Context.Data.LoadFromEnumerable<AnySizeRow>([]);
        var transformer = Context.Transforms.MaeEmbedding("Embedding", "Image", Encoder).Fit(empty);
        Context.Model.SaveAtomically(transformer, empty.Schema, Zip);

        var other = new MLContext();
        var loaded = other.Model.Load(Zip, out _);
        using var engine = other.Model.CreatePredictionEngine<AnySizeRow, EmbeddingOnly>(loaded);
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
        string[] Temporary() => Directory.GetFileSystemEntries(Path.GetTempPath(), "smae-save-*");
        string[] before = Temporary();
        var transformer = Context.Transforms.MaeEmbedding("Embedding", "ImagePath", Encoder).Fit(Images);
        Context.Model.Save(transformer, Images.Schema, Zip);
        CollectionAssert.AreEquivalent(before, Temporary());
    }

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
