using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

[TestClass]
public sealed class ImageClassifierTests : IDisposable
{
    private static readonly string[] s_names = ["red", "green", "blue"];
    private readonly string _folder = Directory.CreateTempSubdirectory("smae-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    [DataRow(Pooling.Mean, false)]
    [DataRow(Pooling.Mean, true)]
    [DataRow(Pooling.ClassToken, false)]
    public void ASavedClassifierGivesTheSameProbabilities(Pooling pooling, bool batchNorm)
    {
        using ImageClassifier classifier = Create(pooling, batchNorm);
        LabelledImages images = EasyImages.Create(5);
        string path = Path.Combine(_folder, "classifier.safetensors");
        classifier.Save(path);
        using ImageClassifier loaded = ImageClassifier.Load(path);
        float[] before = Classify(classifier, images), after = Classify(loaded, images);
        CollectionAssert.AreEqual(before, after);
        Assert.IsTrue(before.Distinct().Count() > 5, "the probabilities were meant to differ");
        for (int i = 0; i < 5; i++) Assert.AreEqual(1, before.Skip(3 * i).Take(3).Sum(), 1e-6);
        CollectionAssert.AreEqual(s_names, loaded.ClassNames!.ToArray());
        Assert.AreEqual((classifier.Preprocessing, pooling, batchNorm), (loaded.Preprocessing, loaded.Model.Pooling, loaded.Model.HasBatchNorm));
        Assert.AreEqual(classifier.Evaluate(images), loaded.Evaluate(images, batchSize: 2) with { Loss = classifier.Evaluate(images).Loss });
    }

    [TestMethod]
    public void NamesAreTimms()
    {
        string[] Names(Pooling pooling, bool batchNorm)
        {
            using ImageClassifier classifier = Create(pooling, batchNorm);
            string path = Path.Combine(_folder, "names.safetensors");
            classifier.Save(path);
            return [.. SafeTensors.Open(path).Names.Where(n => !n.StartsWith("blocks.1.", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        }
        string[] block =
        [
            "attn.proj.bias", "attn.proj.weight", "attn.qkv.bias", "attn.qkv.weight", "mlp.fc1.bias", "mlp.fc1.weight", "mlp.fc2.bias",
            "mlp.fc2.weight",
            "norm1.bias", "norm1.weight", "norm2.bias", "norm2.weight",
        ];
        string[] common = [.. block.Select(n => $"blocks.0.{n}"), "cls_token", "pos_embed", "patch_embed.proj.bias", "patch_embed.proj.weight"];
        CollectionAssert.AreEquivalent(
            (string[])[.. common, "fc_norm.bias", "fc_norm.weight", "head.bias", "head.weight"], Names(Pooling.Mean, false));
        CollectionAssert.AreEquivalent(
            (string[])[.. common, "norm.bias", "norm.weight", "head.bias", "head.weight"], Names(Pooling.ClassToken, false));
        string[] probe = ["head.0.running_mean", "head.0.running_var", "head.0.num_batches_tracked", "head.1.bias", "head.1.weight"];
        CollectionAssert.AreEquivalent((string[])[.. common, "norm.bias", "norm.weight", .. probe], Names(Pooling.ClassToken, true));
    }

    [TestMethod]
    public void PoolingIsMaes()
    {
        using DisposeScope scope = NewDisposeScope();
        using var encoder = new VisionTransformer(TinyModels.Encoder, seed: 4);
        Tensor images = randn(2, 3, 16, 16), tokens = encoder.Encode(encoder.CutIntoPatches(images), null, normalize: false);
        foreach (Pooling pooling in (Pooling[])[Pooling.Mean, Pooling.ClassToken])
        {
            using var model = new VisionTransformerClassifier(TinyModels.Encoder, 3, pooling);
            model.CopyFrom(encoder);
            model.eval();
            Tensor weight = model.Weights.First(w => w.Name == "head.weight").Tensor;
            // fc_norm and the encoder's norm are still 1 and 0
            Tensor pooled = pooling == Pooling.Mean ? tokens.narrow(1, 1, 16).mean([1]) : tokens.select(1, 0);
            Close.To(nn.functional.layer_norm(pooled, [32], eps: 1e-6).matmul(weight.t()), model.forward(images), 1e-4, $"{pooling}");
        }
    }

    [TestMethod]
    public void ANewHeadIsSmallAndItsSeedDecides()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor Head(long seed) =>
            new VisionTransformerClassifier(TinyModels.Encoder, 400, seed: seed).Weights.First(w => w.Name == "head.weight").Tensor;
        Tensor head = Head(1);
        Assert.AreEqual(2e-5, head.std().ToDouble(), 1e-6);
        Assert.IsTrue(head.Equals(Head(1)));
        Assert.IsFalse(head.Equals(Head(2)));
    }

    [TestMethod]
    public void ManyThreadsMayClassifyAtOnce()
    {
        using ImageClassifier classifier = Create(Pooling.Mean, false);
        LabelledImages images = EasyImages.Create(4);
        float[] expected = Classify(classifier, images);
        Parallel.For(0, 16, _ => CollectionAssert.AreEqual(expected, Classify(classifier, images)));
    }

    [TestMethod]
    public void WhatDoesNotFitIsRefusedByName()
    {
        ImageClassifier classifier = Create(Pooling.Mean, false);
        string path = Path.Combine(_folder, "classifier.safetensors"), description = Path.Combine(_folder, "classifier.json");
        Assert.ThrowsExactly<ArgumentException>(() => classifier.Classify(new byte[7], 1, new float[3]));
        StringAssert.Contains(
            Assert.ThrowsExactly<ArgumentException>(() => classifier.Classify(new byte[768], 1, new float[4])).Message, "3 numbers, not 4");
        StringAssert.Contains(
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => classifier.Evaluate(EasyImages.Create(8, classes: 4))).Message, "label 3");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => classifier.Evaluate(EasyImages.Create(8, side: 20))).Message, "20x20");
        StringAssert.Contains(
            Assert.ThrowsExactly<ArgumentException>(() => new ImageClassifier(classifier.Model, classifier.Preprocessing, ["a", "b"])).Message,
            "2 class names: expected 3");
        StringAssert.Contains(
            Assert.ThrowsExactly<ArgumentException>(
                () => new VisionTransformerClassifier(TinyModels.Encoder with { ClassToken = ClassToken.None }, 3, Pooling.ClassToken)).Message,
            "no class token");
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new VisionTransformerClassifier(TinyModels.Encoder, 1));

        classifier.Save(path);
        string whole = File.ReadAllText(description);
        File.WriteAllText(description, whole.Replace("\"Classes\": 3", "\"Classes\": 4"));
        StringAssert.Contains(
            Assert.ThrowsExactly<InvalidDataException>(() => ImageClassifier.Load(path)).Message,
            "'head.weight' has the shape [3, 32], expected [4, 32]");
        File.WriteAllText(description, "{}");
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => ImageClassifier.Load(path)).Message, "classifier.json");
        File.Delete(description);
        Assert.ThrowsExactly<FileNotFoundException>(() => ImageClassifier.Load(path));
        Assert.IsNotNull(JsonDocument.Parse(whole));
        classifier.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => classifier.Classify(new byte[768], 1, new float[3]));
    }

    private static ImageClassifier Create(Pooling pooling, bool batchNorm)
    {
        using DisposeScope scope = NewDisposeScope();
        var model = new VisionTransformerClassifier(TinyModels.Encoder, 3, pooling, batchNorm, seed: 6);
        using var generator = new Generator(1);
        using (no_grad())
            foreach ((string name, Tensor tensor) in model.Weights)
                if (tensor.dtype == ScalarType.Float32 && (name.StartsWith("head", StringComparison.Ordinal) || name.Contains("norm")))
                    tensor.uniform_(0.5, 1.5, generator);
        return new ImageClassifier(model, new ImagePreprocessing { Height = 16, Width = 16, Mean = [0.4f, 0.5f, 0.6f] }, s_names);
    }

    private static float[] Classify(ImageClassifier classifier, LabelledImages images)
    {
        var probabilities = new float[images.Count * classifier.Classes];
        byte[] bytes = [.. Enumerable.Range(0, (int)images.Count).SelectMany(i => images.Images[i].ToArray())];
        classifier.Classify(bytes, (int)images.Count, probabilities);
        return probabilities;
    }
}
