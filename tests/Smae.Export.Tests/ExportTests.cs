using Microsoft.ML.OnnxRuntime;
using Smae.Training;
using static TorchSharp.torch;

namespace Smae.Export.Tests;

/// <summary>What every export promises: names, metadata, a proof, a whole file or none.</summary>
[TestClass]
public sealed class ExportTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string Path => _folder.At("model.onnx");

    public void Dispose() => _folder.Dispose();

    [TestMethod]
    public void AFileTellsAboutItself()
    {
        VisionTransformerConfig config = TinyModels.Config with { Channels = 2 };
        using ImageEncoder encoder = TinyModels.Encoder(config, Pooling.ClassToken);
        OnnxExportResult result = encoder.ExportOnnx(Path, new OnnxExportOptions
        {
            Flavor = OnnxFlavor.Portable, Precision = OnnxPrecision.Float16, InputName = "Pixels", OutputName = "Features",
        });
        OnnxModelInfo info = OnnxModelInfo.Read(Path);
        Assert.AreEqual(encoder.Preprocessing, info.Preprocessing);
        Assert.AreEqual(
            (OnnxModelKind.Encoder, OnnxInput.Bytes, OnnxPrecision.Float16, OnnxFlavor.Portable, 4, 32, Pooling.ClassToken),
            (info.Kind, info.Input, info.Precision, info.Flavor, info.PatchSize, info.EmbedDim, info.Pooling!.Value));
        Assert.AreEqual(("Pixels", "Features", null), (info.InputName, info.Outputs.Single().Name, info.MaskName));
        Assert.AreEqual(32, info.Outputs[0].Length);
        Assert.AreEqual((result.Proof.MaxDifference, 1e-2), (info.MaxDifference, info.Tolerance));
        Assert.AreEqual(64, info.WeightsHash.Length);
        StringAssert.StartsWith(info.SmaeVersion, "0.");
        Assert.AreEqual(new FileInfo(Path).Length, result.FileBytes);

        using ImageEncoder other = TinyModels.Encoder(config, Pooling.ClassToken, seed: 2);
        Assert.AreNotEqual(info.WeightsHash, other.ExportOnnx(Path).Info.WeightsHash);
    }

    [TestMethod]
    public void NamesAreReadableAndTimms()
    {
        using ImageEncoder encoder = TinyModels.Encoder();
        foreach (OnnxFlavor flavor in Enum.GetValues<OnnxFlavor>())
        {
            encoder.ExportOnnx(Path, new OnnxExportOptions { Flavor = flavor });
            ModelProto model = Onnx.Load(Path);
            Assert.AreEqual(17, model.OpsetImport.Single(o => o.Domain == "").Version);
            Assert.AreEqual(flavor == OnnxFlavor.Fastest, model.Graph.Node.Any(n => n.Domain.Length > 0));
            Assert.AreEqual(flavor == OnnxFlavor.Fastest ? 2 : 1, model.OpsetImport.Count);
            CollectionAssert.IsSubsetOf(
                ModelWeights.Of(encoder.Model).Select(w => w.Name).ToArray(), model.Graph.Initializer.Select(i => i.Name).ToArray());
            CollectionAssert.Contains(model.Graph.Node.Select(n => n.Name).ToArray(), "blocks.1/attn/qkv/Gemm");
            CollectionAssert.AllItemsAreUnique(model.Graph.Node.Select(n => n.Name).ToArray());
            CollectionAssert.AllItemsAreUnique(model.Graph.Node.SelectMany(n => n.Output).Where(o => o.Length > 0).ToArray());
            foreach (ValueInfoProto value in model.Graph.Input.Concat(model.Graph.Output))
                Assert.IsTrue(value.Type.TensorType.Shape.Dim[0].DimParam == "batch" && value.DocString.Length > 0);
            Assert.AreEqual("Smae", model.ProducerName);
        }
    }

    /// <summary>ONNX Runtime's SkipLayerNormalization takes three times as long on a CPU as what it is made of: no optimisation of a session may bring it back.</summary>
    [TestMethod]
    [DataRow(OnnxPrecision.Float32, "Gemm")]
    [DataRow(OnnxPrecision.Int8, "DynamicQuantizeMatMul")]
    public void SessionsOnACpuRunTheFastOperators(OnnxPrecision precision, string layer)
    {
        using ImageEncoder encoder = TinyModels.Encoder();
        foreach (OnnxFlavor flavor in Enum.GetValues<OnnxFlavor>())
        {
            encoder.ExportOnnx(Path, new OnnxExportOptions { Flavor = flavor, Precision = precision });
            string optimized = Path + ".optimized";
            using (var options = new SessionOptions { OptimizedModelFilePath = optimized, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR })
            using (new InferenceSession(Path, options))
            {
            }
            string[] operators = [.. Onnx.Load(optimized).Graph.Node.Select(n => n.OpType)];
            int blocks = encoder.Model.Config.Depth;
            Assert.AreEqual(2 * blocks + 1, operators.Count(o => o == "LayerNormalization"), string.Join(' ', operators));
            Assert.AreEqual(4 * blocks, operators.Count(o => o == layer), string.Join(' ', operators));
        }
    }

    [TestMethod]
    public void EveryNumberOfImagesFits()
    {
        using ImageEncoder encoder = TinyModels.Encoder();
        using ImageStore images = TinyModels.Images(TinyModels.Config, 9);
        byte[] bytes = TinyModels.Bytes(images);
        encoder.ExportOnnx(Path);
        foreach (int count in (int[])[1, 2, 9])
        {
            var expected = new float[count * 32];
            byte[] some = bytes[..(count * encoder.Preprocessing.ByteCount)];
            encoder.Embed(some, count, expected);
            Onnx.AssertClose(expected, Onnx.Run(Path, "embedding", count, some), 1e-5, $"{count} images");
        }
    }

    [TestMethod]
    public void TheModelIsOnlyRead()
    {
        using ImageEncoder encoder = TinyModels.Encoder(TinyModels.Config with { Dropout = 0.5 });
        encoder.Model.Precision = Training.Precision.BFloat16;
        encoder.Model.train();
        OnnxProof proof = encoder.ExportOnnx(Path).Proof;
        Assert.IsLessThan(2e-5, proof.RelativeDifference, "it was not compared with the model in float32, outside of training");
        Assert.IsTrue(encoder.Model.training && encoder.Model.Precision == Training.Precision.BFloat16);
    }

    /// <summary>As on another thread.</summary>
    [TestMethod]
    public void AModelThatIsDisposedWhileItIsExportedIsToldAsOne()
    {
        Tensor first = ones(2), second = ones(2);
        var weights = new Weights([("first", first), ("second", second)], onSecondReading: second.Dispose);
        using (first) StringAssert.Contains(Assert.ThrowsExactly<ObjectDisposedException>(() => new WeightTable(weights)).Message, "disposed while it was exported");
    }

    private sealed class Weights((string Name, Tensor Tensor)[] all, Action onSecondReading) : IReadOnlyCollection<(string Name, Tensor Tensor)>
    {
        private int _readings;

        public int Count => all.Length;

        public IEnumerator<(string Name, Tensor Tensor)> GetEnumerator()
        {
            if (++_readings == 2) onSecondReading();
            return all.AsEnumerable().GetEnumerator();
        }

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }

    [TestMethod]
    public void TheUsersImagesArePartOfTheProof()
    {
        using ImageEncoder encoder = TinyModels.Encoder();
        using ImageStore images = TinyModels.Images(TinyModels.Config, 20);
        long without = encoder.ExportOnnx(Path).Proof.Images;
        Assert.AreEqual(without + 20, encoder.ExportOnnx(Path, new OnnxExportOptions { ProofImages = images }).Proof.Images);
    }

    [TestMethod]
    public void AboveTheToleranceThereIsNoFile()
    {
        using ImageEncoder encoder = TinyModels.Encoder();
        var strict = new OnnxExportOptions { Precision = OnnxPrecision.Int8, Tolerance = 1e-6 };
        string message = Assert.ThrowsExactly<OnnxExportException>(() => encoder.ExportOnnx(Path, strict)).Message;
        StringAssert.Contains(message, "'embedding'");
        StringAssert.Contains(message, "1E-06");
        Assert.IsEmpty(Directory.GetFiles(_folder.Path));

        encoder.ExportOnnx(Path);
        byte[] before = File.ReadAllBytes(Path);
        Assert.ThrowsExactly<OnnxExportException>(() => encoder.ExportOnnx(Path, strict));
        CollectionAssert.AreEqual(before, File.ReadAllBytes(Path), "the file that was there is not what it was");
        Assert.HasCount(1, Directory.GetFiles(_folder.Path));
    }

    [TestMethod]
    public void TheFolderIsCreated()
    {
        using ImageEncoder encoder = TinyModels.Encoder();
        string path = _folder.At(System.IO.Path.Combine("models", "new", "encoder.onnx"));
        var strict = new OnnxExportOptions { Precision = OnnxPrecision.Int8, Tolerance = 1e-6 };
        Assert.ThrowsExactly<OnnxExportException>(() => encoder.ExportOnnx(path, strict));
        Assert.IsEmpty(Directory.GetFileSystemEntries(_folder.Path), "an export that failed left a folder");
        Assert.AreEqual(new FileInfo(path).FullName, encoder.ExportOnnx(path).Path);
        Assert.AreEqual(OnnxModelKind.Encoder, OnnxModelInfo.Read(path).Kind);
    }

    [TestMethod]
    public void WeightsThatCannotBeWrittenAreNamed()
    {
        using ImageEncoder encoder = TinyModels.Encoder();
        Tensor weight = ModelWeights.Of(encoder.Model).First(w => w.Name == "blocks.1.mlp.fc1.weight").Tensor;
        using (no_grad()) weight.mul_(1e6);
        StringAssert.Contains(
            Assert.ThrowsExactly<InvalidOperationException>(
                () => encoder.ExportOnnx(Path, new OnnxExportOptions { Precision = OnnxPrecision.Float16 })).Message,
            "'blocks.1.mlp.fc1.weight' holds");
        using (no_grad()) weight.fill_(float.NaN);
        StringAssert.Contains(
            Assert.ThrowsExactly<InvalidOperationException>(() => encoder.ExportOnnx(Path)).Message, "'blocks.1.mlp.fc1.weight' holds NaN");
        encoder.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => encoder.ExportOnnx(Path));
        Assert.IsEmpty(Directory.GetFiles(_folder.Path));
    }

    [TestMethod]
    public void AllFaultsOfTheOptionsAreNamedAtOnce()
    {
        using ImageEncoder encoder = TinyModels.Encoder(TinyModels.Config with { ClassToken = ClassToken.None });
        using ImageStore images = TinyModels.Images(TinyModels.Config with { ImageHeight = 32 }, 1);
        string message = Assert.ThrowsExactly<ArgumentException>(() => encoder.ExportOnnx(Path, new OnnxExportOptions
        {
            Output = OnnxOutput.ClassToken, Input = (OnnxInput)9, Precision = (OnnxPrecision)9, Flavor = (OnnxFlavor)9, InputName = " ",
            OutputName = "", Tolerance = -1, ProofImages = images,
        })).Message;
        string[] parts =
            ["Output is ClassToken", "Input is 9", "Precision is 9", "Flavor is 9", "InputName", "OutputName", "Tolerance is -1", "32x24", "16x24"];
        foreach (string part in parts) StringAssert.Contains(message, part);
        using ImageClassifier classifier = TinyModels.Classifier();
        message = Assert.ThrowsExactly<ArgumentException>(() => classifier.ExportOnnx(Path, new OnnxExportOptions
        {
            Output = OnnxOutput.Mean, InputName = "x", OutputName = "logits",
        })).Message;
        StringAssert.Contains(message, "only an encoder has a choice");
        StringAssert.Contains(message, "OutputName is 'logits'");
        var same = new OnnxExportOptions { OutputName = "images" };
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => encoder.ExportOnnx(Path, same)).Message, "both 'images'");
        Assert.ThrowsExactly<ArgumentException>(() => encoder.ExportOnnx(" "));
        Assert.IsEmpty(Directory.GetFiles(_folder.Path));
    }

    [TestMethod]
    public void NamesOfColumnsCannotMeetNamesInTheGraph()
    {
        using ImageEncoder encoder = TinyModels.Encoder();
        foreach (string name in (string[])["pos_embed", "norm.weight", "blocks.0/attn/qkv/Gemm", "constant/1"])
        {
            try
            {
                encoder.ExportOnnx(Path, new OnnxExportOptions { InputName = name, OutputName = name + "2" });
                encoder.ExportOnnx(Path, new OnnxExportOptions { InputName = name + "2", OutputName = name });
            }
            catch (ArgumentException e)
            {
                StringAssert.Contains(e.Message, name);
            }
        }
    }

    [TestMethod]
    public void WhatIsNotAFileOfSmaesIsRefused()
    {
        Assert.ThrowsExactly<FileNotFoundException>(() => OnnxModelInfo.Read(Path));
        string Message()
        {
            string message = Assert.ThrowsExactly<InvalidDataException>(() => OnnxModelInfo.Read(Path)).Message;
            StringAssert.Contains(message, Path);
            return message;
        }

        using ImageEncoder encoder = TinyModels.Encoder();
        encoder.ExportOnnx(Path);
        byte[] whole = File.ReadAllBytes(Path);
        foreach (double part in (double[])[0, 0.001, 0.3, 0.9, 0.999])
        {
            File.WriteAllBytes(Path, whole[..(int)(whole.Length * part)]);
            Assert.IsTrue(Message() is var m && (m.Contains("truncated") || m.Contains("damaged")), m);
        }
        File.WriteAllText(Path, "This is not a model.");
        StringAssert.Contains(Message(), "not an ONNX file");

        ModelProto model = ModelProto.Parser.ParseFrom(whole);
        StringStringEntryProto mean = model.MetadataProps.Single(entry => entry.Key == "mean");
        string numbers = mean.Value;
        foreach (string list in (string[])["0.5", "[]", "[0.5,half]", "[0.5"])
        {
            mean.Value = list;
            File.WriteAllBytes(Path, Google.Protobuf.MessageExtensions.ToByteArray(model));
            StringAssert.Contains(Message(), $"its 'mean' is '{list}', expected a list of numbers");
        }
        mean.Value = numbers;
        model.ProducerName = "pytorch";
        File.WriteAllBytes(Path, Google.Protobuf.MessageExtensions.ToByteArray(model));
        StringAssert.Contains(Message(), "made by 'pytorch'");
        model.ProducerName = "Smae";
        model.MetadataProps.Single(p => p.Key == "height").Value = "tall";
        File.WriteAllBytes(Path, Google.Protobuf.MessageExtensions.ToByteArray(model));
        StringAssert.Contains(Message(), "'height' is 'tall'");
        model.MetadataProps.Remove(model.MetadataProps.Single(p => p.Key == "height"));
        File.WriteAllBytes(Path, Google.Protobuf.MessageExtensions.ToByteArray(model));
        StringAssert.Contains(Message(), "lacks 'height'");
    }
}
