using Smae.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Export.Tests;

/// <summary>SqueezeNet as ONNX: the critic of SMAE, and a classifier like others.</summary>
[TestClass]
public sealed class SqueezeNetExportTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string File => _folder.At("critic.onnx");

    public void Dispose() => _folder.Dispose();

    [TestMethod]
    [DataRow(OnnxInput.Bytes, 3, OnnxPrecision.Float32, 2e-5)]
    [DataRow(OnnxInput.PlanarBytes, 1, OnnxPrecision.Float32, 2e-5)]
    [DataRow(OnnxInput.NormalizedPlanes, 4, OnnxPrecision.Float32, 2e-5)]
    [DataRow(OnnxInput.Bytes, 3, OnnxPrecision.Float16, 1e-2)]
    public void EveryInputAgrees(OnnxInput input, int channels, OnnxPrecision precision, double tolerance)
    {
        using SqueezeNet network = TinyModels.SqueezeNet(channels);
        OnnxExportResult result = network.ExportOnnx(
            File, TinyModels.SqueezeNetPreprocessing(channels), TinyModels.ClassNames, new OnnxExportOptions { Input = input, Precision = precision });
        Assert.IsLessThan(tolerance, result.Proof.RelativeDifference, $"{result.Proof}");
        Assert.AreEqual(1, result.Proof.Top1Agreement);
        Assert.AreEqual((OnnxModelKind.Classifier, input, precision), (result.Info.Kind, result.Info.Input, result.Info.Precision));
    }

    [TestMethod]
    public void TheFileIsAClassifierThatNeedsNothingElse()
    {
        using SqueezeNet network = TinyModels.SqueezeNet();
        ImagePreprocessing preprocessing = TinyModels.SqueezeNetPreprocessing();
        using ImageStore images = TinyModels.Images(preprocessing, 5);
        OnnxModelInfo info = network.ExportOnnx(File, preprocessing, TinyModels.ClassNames).Info;
        CollectionAssert.AreEqual(TinyModels.ClassNames, info.ClassNames!.ToArray());
        Assert.AreEqual((null, null, 0, null), (info.PatchSize, info.EmbedDim, info.PatchCount, info.Pooling));

        byte[] bytes = TinyModels.Bytes(images);
        float[] found = Onnx.Run(File, "probabilities", 5, bytes);
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var normalizer = new ImageNormalizer(preprocessing, CPU);
        Tensor logits = network.forward(normalizer.Normalize(tensor(bytes, [5, preprocessing.Height, preprocessing.Width, 3])));
        Onnx.AssertClose(logits.softmax(-1).data<float>().ToArray(), found, 1e-5);
        Onnx.AssertClose(logits.data<float>().ToArray(), Onnx.Run(File, "logits", 5, bytes), 1e-4);
        Assert.IsTrue(found.Distinct().Count() == 15 && found.Max() < 0.999, "the probabilities were meant to differ");

        using var scorer = OnnxImageModel.Load(File);
        var scored = new float[15];
        scorer.Run(bytes, 5, scored);
        Onnx.AssertClose(found, scored, 1e-6);
    }

    [TestMethod]
    public void WhatDoesNotFitIsNamedAndLeavesNoFile()
    {
        using SqueezeNet network = TinyModels.SqueezeNet();
        ImagePreprocessing good = TinyModels.SqueezeNetPreprocessing();
        string Message(ImagePreprocessing preprocessing, string[]? names = null, OnnxExportOptions? options = null) =>
            Assert.Throws<ArgumentException>(() => network.ExportOnnx(File, preprocessing, names, options)).Message;
        StringAssert.Contains(Message(good with { Height = 16 }), "16x44: SqueezeNet needs at least 21 pixels a side");
        StringAssert.Contains(Message(TinyModels.SqueezeNetPreprocessing(1)), "1 channels: the network expects 3");
        StringAssert.Contains(Message(good, ["one", "two"]), "2 names of classes: the network has 3 classes");
        StringAssert.Contains(Message(good, options: new OnnxExportOptions { Precision = OnnxPrecision.Int8 }), "Precision is Int8");
        StringAssert.Contains(Message(good, options: new OnnxExportOptions { Output = OnnxOutput.Tokens }), "Output is Tokens");
        network.Save(_folder.At("whole.safetensors"));
        using SqueezeNet cut = SqueezeNet.Load(_folder.At("whole.safetensors"), SqueezeNet.CriticDepth);
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => cut.ExportOnnx(File, good)).Message, "cut before its classifier");
        Assert.IsFalse(System.IO.File.Exists(File));
    }
}
