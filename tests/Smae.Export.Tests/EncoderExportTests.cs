using Smae.Training;

namespace Smae.Export.Tests;

/// <summary>Encoders of every shape: what ONNX Runtime gives is what TorchSharp gives (the export itself compares and throws).</summary>
[TestClass]
public sealed class EncoderExportTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static IEnumerable<object[]> Shapes()
    {
        VisionTransformerConfig c = TinyModels.Config;
        (string Name, VisionTransformerConfig Config)[] shapes =
        [
            ("as MAE", c), ("as SMAE", VisionTransformerConfig.VitLite7_4.ForImages(16) with { EmbedDim = 32, Depth = 2 }),
            ("class token last", c with { ClassToken = ClassToken.Last }), ("no class token", c with { ClassToken = ClassToken.None }),
            ("normed residual", c with { Residual = ResidualStyle.Normed }), ("ReLU", c with { Activation = Activation.Relu }),
            ("no final norm", c with { FinalNorm = false }), ("no final norm, normed", c with { FinalNorm = false, Residual = ResidualStyle.Normed }),
            ("learned positions", c with { Positions = PositionEncoding.Learned }),
            ("1-D positions", c with { Positions = PositionEncoding.SineCosine1D }),
            ("large epsilon", c with { LayerNormEpsilon = 0.1 }), ("grey", c with { Channels = 1 }), ("seven channels", c with { Channels = 7 }),
            ("one head", c with { NumHeads = 1 }), ("one block, tall", c with { Depth = 1, ImageHeight = 32, ImageWidth = 8 }),
            ("fused", c with { Depth = 3, Fusion = [0, 2] }),
            ("fused, normed, no final norm", c with { Depth = 3, Fusion = [0, 1, 2], Residual = ResidualStyle.Normed, FinalNorm = false }),
            ("registers", c with { RegisterTokens = 3 }), ("registers, no class token", c with { RegisterTokens = 2, ClassToken = ClassToken.None }),
            ("registers, class token last", c with { RegisterTokens = 2, ClassToken = ClassToken.Last }), ("layer scale", c with { LayerScale = 0.5 }),
            ("as DINOv2", c with { RegisterTokens = 4, LayerScale = 1, Positions = PositionEncoding.Learned }),
            ("one patch", c with { ImageHeight = 4, ImageWidth = 4 }), ("odd width", c with { EmbedDim = 36, NumHeads = 3, MlpRatio = 1.3 }),
        ];
        foreach (OnnxFlavor flavor in Enum.GetValues<OnnxFlavor>())
            foreach ((string name, VisionTransformerConfig config) in shapes) yield return [name, flavor, config];
    }

    [TestMethod]
    [DynamicData(nameof(Shapes))]
    public void EveryShapeAgrees(string name, OnnxFlavor flavor, VisionTransformerConfig config)
    {
        using ImageEncoder encoder = TinyModels.Encoder(config);
        OnnxProof Prove(OnnxOutput output) =>
            encoder.ExportOnnx(_folder.At("encoder.onnx"), new OnnxExportOptions { Flavor = flavor, Output = output }).Proof;
        OnnxProof proof = Prove(OnnxOutput.Tokens);
        Assert.IsLessThan(2e-5, proof.RelativeDifference, $"{name}: {proof}");
        Assert.IsGreaterThan(0.5, proof.Magnitude, $"{name}: {proof}");
        Assert.IsLessThan(2e-5, Prove(OnnxOutput.Mean).RelativeDifference, name);
        if (config.ClassToken != ClassToken.None) Assert.IsLessThan(2e-5, Prove(OnnxOutput.ClassToken).RelativeDifference, name);
    }

    [TestMethod]
    [DataRow(OnnxPrecision.Float16, OnnxFlavor.Fastest, 5e-3)]
    [DataRow(OnnxPrecision.Float16, OnnxFlavor.Portable, 5e-3)]
    [DataRow(OnnxPrecision.Int8, OnnxFlavor.Fastest, 0.1)]
    [DataRow(OnnxPrecision.Int8, OnnxFlavor.Portable, 0.1)]
    public void CoarserNumbersAreSmallerFilesThatStillAgree(OnnxPrecision precision, OnnxFlavor flavor, double tolerance)
    {
        foreach (VisionTransformerConfig config in (VisionTransformerConfig[])[TinyModels.Config with { EmbedDim = 64 }, TinyModels.Config with
                 {
                     EmbedDim = 64, ClassToken = ClassToken.Last, Residual = ResidualStyle.Normed, Activation = Activation.Relu, LayerScale = 0.5,
                 }])
        {
            using ImageEncoder encoder = TinyModels.Encoder(config);
            OnnxExportResult whole = encoder.ExportOnnx(_folder.At("whole.onnx"), new OnnxExportOptions { Flavor = flavor });
            OnnxExportResult result = encoder.ExportOnnx(_folder.At("small.onnx"), new OnnxExportOptions { Flavor = flavor, Precision = precision });
            Assert.IsLessThan(tolerance, result.Proof.RelativeDifference, $"{result.Proof}");
            Assert.IsGreaterThan(whole.Proof.RelativeDifference * 10, result.Proof.RelativeDifference, $"{result.Proof}: nothing was rounded");
            Assert.IsLessThan(whole.FileBytes * (precision == OnnxPrecision.Int8 ? 0.6 : 0.75), result.FileBytes);
        }
    }

    [TestMethod]
    [DataRow(OnnxInput.Bytes)]
    [DataRow(OnnxInput.PlanarBytes)]
    [DataRow(OnnxInput.NormalizedPlanes)]
    public void EveryInputAgrees(OnnxInput input)
    {
        using ImageEncoder encoder = TinyModels.Encoder();
        foreach (OnnxFlavor flavor in Enum.GetValues<OnnxFlavor>())
        {
            OnnxExportResult result = encoder.ExportOnnx(_folder.At("encoder.onnx"), new OnnxExportOptions { Input = input, Flavor = flavor });
            Assert.IsLessThan(2e-5, result.Proof.RelativeDifference, $"{result.Proof}");
            Assert.AreEqual(input, result.Info.Input);
        }
    }

    [TestMethod]
    public void EveryOutputIsWhatItIsCalled()
    {
        using ImageEncoder encoder = TinyModels.Encoder(pooling: Pooling.ClassToken);
        OnnxExportResult Export(OnnxOutput output) => encoder.ExportOnnx(_folder.At($"{output}.onnx"), new OnnxExportOptions { Output = output });
        Assert.AreEqual(Pooling.ClassToken, Export(OnnxOutput.Pooled).Info.Pooling);
        Assert.AreEqual(Pooling.Mean, Export(OnnxOutput.Mean).Info.Pooling);
        Assert.AreEqual(Pooling.ClassToken, Export(OnnxOutput.ClassToken).Info.Pooling);
        OnnxModelInfo tokens = Export(OnnxOutput.Tokens).Info;
        Assert.IsNull(tokens.Pooling);
        Assert.AreEqual("tokens", tokens.Outputs[0].Name);
        CollectionAssert.AreEqual(new[] { 25, 32 }, tokens.Outputs[0].Shape.ToArray());
    }
}
