using Smae.Tests;
using Smae.Training;

namespace Smae.Export.Tests;

/// <summary>What each method pretrained goes to ONNX, and ONNX Runtime gives what TorchSharp gives.</summary>
[TestClass]
public sealed class EveryMethodExportTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [TestMethod]
    [DynamicData(nameof(EveryMethod.Rows), typeof(EveryMethod))]
    public void ThePretrainedEncoderAgrees(string method)
    {
        VisionTransformerConfig encoder = TinyModels.Config with { ImageWidth = 16 };
        using ImageStore images = TinyModels.Images(encoder, 16);
        var common = new MaePretrainOptions { Encoder = encoder, Epochs = 2, BatchSize = 8, LearningRate = 1e-3, Seed = 1 };
        MaePretrainResult result = MaePretraining.Run(images, EveryMethod.Options(method, common, Path.GetDirectoryName(_folder.At("teacher"))!));
        using var model = result.Model;
        foreach (OnnxFlavor flavor in Enum.GetValues<OnnxFlavor>())
        {
            OnnxExportResult export = result.Encoder.ExportOnnx(_folder.At($"{flavor}.onnx"), new OnnxExportOptions { Flavor = flavor, ProofImages = images });
            Assert.IsLessThan(2e-5, export.Proof.RelativeDifference, $"{method}, {flavor}: {export.Proof}");
            Assert.AreEqual(method is "DINO" or "iBOT" ? Pooling.ClassToken : Pooling.Mean, export.Info.Pooling);
        }
    }
}
