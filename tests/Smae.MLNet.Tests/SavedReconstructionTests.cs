using System.IO.Compression;
using Microsoft.ML.Transforms.Image;
using Smae.Training;
using static TorchSharp.torch;

namespace Smae.MLNet.Tests;

/// <summary>Saved transformers that make pictures: they hold ML.NET's own transformers alone, and make the same pictures.</summary>
[TestClass]
public sealed class SavedReconstructionTests : EmbeddingFixture
{
    private const int Size = TestModels.Size, Patch = 4;

    private string Zip => At("pictures.zip");

    [TestMethod]
    [DataRow(ReconstructionView.Reconstruction, 3)]
    [DataRow(ReconstructionView.Masked, 3)]
    [DataRow(ReconstructionView.SideBySide, 3)]
    [DataRow(ReconstructionView.Reconstruction, 1)]
    [DataRow(ReconstructionView.Masked, 1)]
    [DataRow(ReconstructionView.SideBySide, 1)]
    [DataRow(ReconstructionView.SideBySide, 4)]
    public void Pictures_of_files_are_the_same(ReconstructionView view, int channels)
    {
        using var autoencoder = Autoencoder(channels);
        using var transformer = Transformer(autoencoder, new MaeReconstructOptions { View = view, Seed = 7, Preprocessing = Preprocessing(channels) });
        var loaded = SaveAndLoad(transformer);
        var chain = (IEnumerable<ITransformer>)loaded;
        Assert.IsTrue(chain.All(step => step.GetType().Assembly != typeof(MaeReconstructTransformer).Assembly));
        AssertUsesAllItHas();

        var some = Context.Data.TakeRows(Images, 12);
        IDataView before = transformer.Transform(some), after = loaded.Transform(some);
        Assert.AreEqual(before.Schema["Picture"].Type, after.Schema["Picture"].Type);
        CollectionAssert.AreEqual(new[] { "ImagePath", "Label", "Picture" }, after.Schema.Where(c => !c.IsHidden).Select(c => c.Name).ToArray());
        AssertSame(Pictures(before), Pictures(after));
        (loaded as IDisposable)?.Dispose();
    }

    /// <summary>ONNX Runtime writes a warning to the console of whoever loads a graph that has more.</summary>
    private void AssertUsesAllItHas()
    {
        using ZipArchive zip = ZipFile.OpenRead(Zip);
        using Stream entry = zip.Entries.Single(e => e.Name == "OnnxModel").Open();
        using var reader = new BinaryReader(entry);
        GraphProto graph = ModelProto.Parser.ParseFrom(reader.ReadBytes(reader.ReadInt32())).Graph;
        HashSet<string> used = [.. graph.Node.SelectMany(node => node.Input)];
        string[] unused = [.. graph.Initializer.Select(tensor => tensor.Name).Where(name => !used.Contains(name))];
        Assert.IsEmpty(unused, string.Join(", ", unused));
    }

    [TestMethod]
    public void Pictures_of_whatever_the_model_was_pretrained_for_are_the_same()
    {
        using var autoencoder = Autoencoder(3);
        Objective[] objectives = [Objective.Pixel(normalizePatches: false), Objective.LowPassPixel(), Objective.Pixel() with { Epsilon = 0.5 }];
        foreach (var objective in objectives)
        {
            using var transformer = Transformer(autoencoder, new MaeReconstructOptions { Seed = 1, Objective = objective, Masking = Masking.Block() });
            var some = Context.Data.TakeRows(Images, 12);
            AssertSame(Pictures(transformer.Transform(some)), Pictures(SaveAndLoad(transformer).Transform(some)));
        }
    }

    [TestMethod]
    public void Pictures_of_SimMIM_are_the_same()
    {
        using var autoencoder = new MaskedAutoencoder(TestModels.Config, seed: 1, target: DecoderTarget.LinearPixels);
        using var transformer = Transformer(autoencoder, new MaeReconstructOptions { Seed = 1, Masking = Masking.Squares(0.6, side: 1) });
        var some = Context.Data.TakeRows(Images, 12);
        AssertSame(Pictures(transformer.Transform(some)), Pictures(SaveAndLoad(transformer).Transform(some)));
    }

    [TestMethod]
    public void Pictures_of_JPEG_files_are_the_same()
    {
        var images = Context.Data.TakeRows(Context.Data.LoadImageFolder(DataSets.TinyImageNet, ImageFolderSplit.Validation), 60);
        using var autoencoder = new MaskedAutoencoder(TestModels.Config.ForImages(32, 4), TestModels.Options.Decoder, seed: 1);
        using var transformer = Transformer(autoencoder, new MaeReconstructOptions { Seed = 3 });
        AssertSame(Pictures(transformer.Transform(images)), Pictures(SaveAndLoad(transformer).Transform(images)));
    }

    [TestMethod]
    public void Pictures_of_images_in_memory_are_the_same()
    {
        using var autoencoder = Autoencoder(3);
        var empty = Context.Data.LoadFromEnumerable<ImageRow>([]);
        var options = new MaeReconstructOptions { View = ReconstructionView.SideBySide, Seed = 7 };
        using var transformer = Context.Transforms.MaeReconstruct("Picture", "Image", autoencoder, options).Fit(empty);
        Context.Model.SaveAtomically(transformer, empty.Schema, Zip);

        var other = new MLContext();
        using var here = Context.Model.CreatePredictionEngine<ImageRow, WidePicture>(transformer, new PredictionEngineOptions { OwnsTransformer = false });
        using var there = other.Model.CreatePredictionEngine<ImageRow, WidePicture>(other.Model.Load(Zip, out _));
        List<byte[]> Make(PredictionEngine<ImageRow, WidePicture> engine) =>
            [.. Enumerable.Range(0, 8).Select(number => Rgba(engine.Predict(new ImageRow { Image = TestImages.Draw(number) }).Picture))];
        AssertSame(Make(here), Make(there));
    }

    [TestMethod]
    public void Images_are_masked_in_many_ways_and_as_before_they_were_saved()
    {
        using var autoencoder = Autoencoder(3);
        using var transformer = Transformer(autoencoder, new MaeReconstructOptions { View = ReconstructionView.Masked, Seed = 7 });
        var pictures = Pictures(SaveAndLoad(transformer).Transform(Images));
        var masks = pictures.Select(Mask).ToList();
        CollectionAssert.AreEqual(Pictures(transformer.Transform(Images)).Select(Mask).ToList(), masks);
        Assert.IsTrue(masks.All(mask => mask.Count(c => c == 'x') == 12), "A quarter is visible.");
        Assert.IsGreaterThan(32, masks.Distinct().Count());
    }

    [TestMethod]
    public void Saving_leaves_no_temporary_file()
    {
        using var autoencoder = Autoencoder(3);
        using var transformer = Transformer(autoencoder, new MaeReconstructOptions());
        Assert.IsEmpty(TempFolder.LeftBehind(() => Context.Model.Save(transformer, Images.Schema, Zip)));
    }

    [TestMethod]
    public void What_a_saved_model_cannot_hold_is_said()
    {
        using var autoencoder = Autoencoder(3);
        var bytes = Context.Data.LoadFromEnumerable([new BytesRow { Bytes = File.ReadAllBytes(AnyImage()) }]);
        using var ofBytes = Context.Transforms.MaeReconstruct("Picture", "Bytes", autoencoder).Fit(bytes);
        var error = Assert.ThrowsExactly<NotSupportedException>(() => Context.Model.SaveAtomically(ofBytes, bytes.Schema, Zip));
        StringAssert.Contains(error.Message, "'Bytes'");

        using var ofOthers = Transformer(autoencoder, new MaeReconstructOptions { Objective = new Inverted() });
        error = Assert.ThrowsExactly<NotSupportedException>(() => Context.Model.SaveAtomically(ofOthers, Images.Schema, Zip));
        StringAssert.Contains(error.Message, "Inverted.ToPixels");
        Assert.IsFalse(File.Exists(Zip));
    }

    private static MaskedAutoencoder Autoencoder(int channels) => new(TestModels.Config with { Channels = channels }, TestModels.Options.Decoder, seed: 1);

    private static ImagePreprocessing Preprocessing(int channels) => new()
    {
        Height = Size, Width = Size, Channels = channels,
        Mean = [.. Enumerable.Range(0, channels).Select(c => 0.4f + 0.05f * c)], StandardDeviation = [.. Enumerable.Repeat(0.3f, channels)],
    };

    private MaeReconstructTransformer Transformer(MaskedAutoencoder autoencoder, MaeReconstructOptions options) =>
        Context.Transforms.MaeReconstruct("Picture", "ImagePath", autoencoder, options).Fit(Images);

    private ITransformer SaveAndLoad(MaeReconstructTransformer transformer)
    {
        Context.Model.Save(transformer, Images.Schema, Zip);
        return new MLContext().Model.Load(Zip, out _);
    }

    // One row at a time: ML.NET hands the picture back to the getter for the next row, which may free it.
    private static List<byte[]> Pictures(IDataView data)
    {
        List<byte[]> pictures = [];
        using var cursor = data.GetRowCursor([data.Schema["Picture"]]);
        var getter = cursor.GetGetter<MLImage>(data.Schema["Picture"]);
        MLImage image = null!;
        while (cursor.MoveNext())
        {
            getter(ref image);
            pictures.Add(Rgba(image));
        }
        image.Dispose();
        return pictures;
    }

    private static byte[] Rgba(MLImage image) => TestImages.Pixels(image, 4);

    /// <summary>Which patches of a picture are one colour, which none of the drawn images has in a patch.</summary>
    private static string Mask(byte[] picture) => string.Concat(Enumerable.Range(0, Size / Patch * (Size / Patch)).Select(patch =>
    {
        int at = (patch / (Size / Patch) * Patch * Size + patch % (Size / Patch) * Patch) * 4;
        bool IsMean(int pixel) => picture.AsSpan(at + (pixel / Patch * Size + pixel % Patch) * 4, 4).SequenceEqual<byte>([124, 116, 104, 255]);
        return Enumerable.Range(0, Patch * Patch).All(IsMean) ? 'x' : '.';
    }));

    // Where a prediction lies halfway between two bytes, the last place of a product decides.
    private static void AssertSame(List<byte[]> expected, List<byte[]> found)
    {
        Assert.HasCount(expected.Count, found);
        int differ = 0, all = 0;
        foreach (var (before, after) in expected.Zip(found))
        {
            Assert.HasCount(before.Length, after);
            for (int i = 0; i < before.Length; i++)
            {
                Assert.IsLessThanOrEqualTo(1, Math.Abs(before[i] - after[i]));
                differ += before[i] == after[i] ? 0 : 1;
            }
            all += before.Length;
        }
        Assert.IsLessThan(1e-3, differ / (double)all);
        Assert.AreNotEqual(Convert.ToBase64String(expected[0]), Convert.ToBase64String(expected[1]), "The pictures were meant to differ.");
    }

    private sealed class WidePicture
    {
        [ImageType(Size, 3 * Size)]
        public MLImage Picture { get; set; } = null!;
    }

    /// <summary>An objective from outside that makes pixels of predictions in a way of its own.</summary>
    private sealed record Inverted : Objective
    {
        public override Tensor ToPixels(Reconstruction reconstruction) => -reconstruction.Prediction;

        public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) => throw new NotSupportedException();
    }
}
