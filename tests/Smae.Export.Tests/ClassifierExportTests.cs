using Smae.Training;

namespace Smae.Export.Tests;

/// <summary>Classifiers with every head.</summary>
[TestClass]
public sealed class ClassifierExportTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [TestMethod]
    [DataRow(Pooling.Mean, false, ClassToken.First, OnnxFlavor.Fastest)]
    [DataRow(Pooling.Mean, true, ClassToken.None, OnnxFlavor.Portable)]
    [DataRow(Pooling.ClassToken, true, ClassToken.First, OnnxFlavor.Fastest)]
    [DataRow(Pooling.ClassToken, false, ClassToken.Last, OnnxFlavor.Portable)]
    [DataRow(Pooling.Mean, false, ClassToken.Last, OnnxFlavor.Fastest)]
    public void EveryHeadAgrees(Pooling pooling, bool batchNorm, ClassToken token, OnnxFlavor flavor)
    {
        using ImageClassifier classifier = TinyModels.Classifier(TinyModels.Config with { ClassToken = token }, pooling, batchNorm);
        OnnxExportResult result = classifier.ExportOnnx(_folder.At("classifier.onnx"), new OnnxExportOptions { Flavor = flavor });
        Assert.IsLessThan(2e-5, result.Proof.RelativeDifference, $"{result.Proof}");
        Assert.AreEqual(1, result.Proof.Top1Agreement);
        Assert.AreEqual(pooling, result.Info.Pooling);
    }

    [TestMethod]
    public void BothOutputsAreTheClassifiers()
    {
        using ImageClassifier classifier = TinyModels.Classifier();
        using ImageStore images = TinyModels.Images(classifier.Model.Config, 5);
        byte[] bytes = TinyModels.Bytes(images);
        var expected = new float[15];
        classifier.Classify(bytes, 5, expected);
        OnnxModelInfo info = classifier.ExportOnnx(_folder.At("classifier.onnx")).Info;
        float[] probabilities = Onnx.Run(_folder.At("classifier.onnx"), "probabilities", 5, bytes);
        Onnx.AssertClose(expected, probabilities, 1e-5);
        Assert.IsTrue(expected.Distinct().Count() == 15 && expected.Max() < 0.999, "the probabilities were meant to differ");
        float[] logits = Onnx.Run(_folder.At("classifier.onnx"), "logits", 5, bytes);
        for (int i = 0; i < 15; i++)
        {
            int first = i / 3 * 3;
            Assert.AreEqual(Math.Log(probabilities[i] / probabilities[first]), logits[i] - logits[first], 1e-4, "not of one image");
        }
        CollectionAssert.AreEqual(new[] { "probabilities", "logits" }, info.Outputs.Select(o => o.Name).ToArray());
        CollectionAssert.AreEqual(TinyModels.ClassNames, info.ClassNames!.ToArray());
    }

    [TestMethod]
    [DataRow(OnnxPrecision.Float16)]
    [DataRow(OnnxPrecision.Int8)]
    public void CoarserNumbersFindTheSameClasses(OnnxPrecision precision)
    {
        using ImageClassifier classifier = TinyModels.Classifier(batchNorm: true);
        using ImageStore images = TinyModels.Images(classifier.Model.Config, 60);
        OnnxProof proof = classifier.ExportOnnx(
            _folder.At("classifier.onnx"), new OnnxExportOptions { Precision = precision, ProofImages = images }).Proof;
        Assert.AreEqual(64, proof.Images);
        Assert.IsGreaterThan(0.9, proof.Top1Agreement!.Value);
    }

    [TestMethod]
    public void ClassesWithoutNamesHaveNone()
    {
        using ImageClassifier named = TinyModels.Classifier();
        using var classifier = new ImageClassifier(named.Model, named.Preprocessing);
        Assert.IsNull(classifier.ExportOnnx(_folder.At("classifier.onnx")).Info.ClassNames);
    }
}
