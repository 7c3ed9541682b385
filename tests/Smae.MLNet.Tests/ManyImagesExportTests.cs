using Smae.Training;

namespace Smae.MLNet.Tests;

/// <summary>Exported files on 1,000 images from JPEG files: ONNX Runtime and TorchSharp give the same.</summary>
[TestClass]
public sealed class ManyImagesExportTests : IDisposable
{
    private const int Count = 1000;
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [TestMethod]
    [DataRow(OnnxFlavor.Fastest, OnnxPrecision.Float32, 1e-4)]
    [DataRow(OnnxFlavor.Portable, OnnxPrecision.Float32, 1e-4)]
    [DataRow(OnnxFlavor.Fastest, OnnxPrecision.Float16, 1e-2)]
    public void ManyImagesGiveTheSameEmbeddings(OnnxFlavor flavor, OnnxPrecision precision, double tolerance)
    {
        VisionTransformerConfig config = VisionTransformerConfig.VitLite7_4.ForImages(32, 8) with { EmbedDim = 64, Depth = 3 };
        using ImageEncoder encoder = ImageEncoder.Create(config, seed: 1);
        using ImageStore images = Load(encoder.Preprocessing);
        Assert.AreEqual(Count, images.Count);
        float[] expected = new float[Count * encoder.EmbedDim], found = new float[Count * encoder.EmbedDim];
        byte[] bytes = [.. Enumerable.Range(0, Count).SelectMany(i => images[i].ToArray())];
        encoder.Embed(bytes, Count, expected);

        string path = _folder.At("encoder.onnx");
        encoder.ExportOnnx(path, new OnnxExportOptions { Flavor = flavor, Precision = precision });
        using OnnxImageModel model = OnnxImageModel.Load(path, new OnnxScoringOptions { BatchSize = 128 });
        model.Run(images, found);
        double difference = expected.Zip(found, (e, f) => Math.Abs((double)e - f)).Max();
        double allowed = precision == OnnxPrecision.Float32 ? tolerance : tolerance * expected.Max(Math.Abs);
        Assert.IsLessThanOrEqualTo(allowed, difference);
        Assert.IsGreaterThan(1000, expected.Select(e => MathF.Round(e, 3)).Distinct().Count(), "the embeddings were meant to differ");
    }

    private static ImageStore Load(ImagePreprocessing preprocessing)
    {
        var ml = new MLContext(seed: 1);
        IDataView view = ml.Data.LoadImageFolder(DataSets.TinyImageNet, ImageFolderSplit.Validation);
        return ml.Data.LoadImageStore(view, "ImagePath", preprocessing);
    }
}
