using Smae.Tests;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>Register tokens and layer scale, as DINOv2 has them, in every method and on the way of an encoder.</summary>
[TestClass]
public sealed class RegisterTokensTests : IDisposable
{
    private static readonly VisionTransformerConfig s_config = TinyModels.Encoder with { RegisterTokens = 3, LayerScale = 0.1 };
    private readonly string _folder = Directory.CreateTempSubdirectory("smae-registers-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    [DynamicData(nameof(EveryMethod.Rows), typeof(EveryMethod))]
    public void EveryMethodTrainsThem(string method)
    {
        using DisposeScope scope = NewDisposeScope();
        using ImageStore images = TinyModels.Images(16);
        MaePretrainOptions options = EveryMethod.Options(
            method, TinyModels.Options with { Encoder = s_config, Masking = Masking.Random(0.75), WarmupEpochs = 0 }, _folder);
        using var before = new VisionTransformer(options.Encoder, options.Seed!.Value);
        Dictionary<string, Tensor> first = ModelWeights.Of(before).ToDictionary(w => w.Name, w => w.Tensor);
        MaePretrainResult result = MaePretraining.Run(images, options);
        using MaskedAutoencoder model = result.Model;
        Assert.IsTrue(double.IsFinite(result.LastLoss));
        foreach ((string name, Tensor tensor) in ModelWeights.Of(model.Encoder).Where(w => w.Name == "reg_token" || w.Name.EndsWith("gamma")))
            Assert.IsGreaterThan(1e-5, (tensor - first[name]).abs().max().ToDouble(), name);

        string path = Path.Combine(_folder, "encoder.safetensors");
        result.Encoder.Save(path);
        using ImageEncoder loaded = ImageEncoder.Load(path);
        Assert.AreEqual(options.Encoder, loaded.Model.Config);
        Tensor bytes = images.Batch([0, 1]);
        Close.To(result.Encoder.Embed(bytes), loaded.Embed(bytes), 1e-6, "embeddings");   // a fixed table that a teacher averaged is off by a rounding
    }

    [TestMethod]
    [DataRow(ClassToken.First)]
    [DataRow(ClassToken.Last)]
    [DataRow(ClassToken.None)]
    public void TheyStandBeforeThePatchesAndAreDropped(ClassToken place)
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new VisionTransformer(s_config with { ClassToken = place }, seed: 1);
        Tensor images = randn(2, 3, 16, 16), tokens = model.forward(images);
        int before = place == ClassToken.First ? 4 : 3, after = place == ClassToken.Last ? 1 : 0;
        CollectionAssert.AreEqual(new long[] { 2, before + 16 + after, 32 }, tokens.shape);
        Close.To(tokens.narrow(1, before, 16).mean([1]), model.Pool(tokens, Pooling.Mean), 1e-6, "mean");
        if (place != ClassToken.None) Close.To(tokens.select(1, place == ClassToken.First ? 0 : 19), model.Pool(tokens, Pooling.ClassToken), 0, "class token");

        // Looked at in another order, patches come out the same: only their own position tells where they are.
        Tensor order = randperm(16).unsqueeze(0).expand(2, -1);
        Tensor shuffled = model.Encode(model.CutIntoPatches(images), order);
        Close.To(Patches.Pick(model.PatchTokens(tokens), order), model.PatchTokens(shuffled), 1e-5, "shuffled");
        if (place == ClassToken.None) return;
        Tensor attention = model.ClassTokenAttention(images);
        CollectionAssert.AreEqual(new long[] { 2, 2, 4, 4 }, attention.shape);
        Assert.IsLessThan(1, attention.sum([2, 3]).max().ToDouble());
    }

    [TestMethod]
    public void TheyCountAsTheClassTokenDoesInFineTuning()
    {
        using var classifier = new VisionTransformerClassifier(s_config, 3);
        IReadOnlyList<ParameterGroup> groups = LayerDecay.Groups(classifier, weightDecay: 0.05, layerDecay: 0.5);
        Dictionary<string, Tensor> weights = classifier.Weights.ToDictionary(w => w.Name, w => w.Tensor);
        ParameterGroup Of(string name) => groups.Single(g => g.Parameters.Any(p => p.Handle == weights[name].Handle));
        Assert.AreEqual(Of("cls_token").LearningRateScale, Of("reg_token").LearningRateScale);
        Assert.AreEqual(0, Of("reg_token").WeightDecay);
        Assert.AreEqual(0, Of("blocks.0.ls1.gamma").WeightDecay);
        Assert.AreEqual(Of("blocks.1.norm1.weight").LearningRateScale, Of("blocks.1.ls2.gamma").LearningRateScale);
    }
}
