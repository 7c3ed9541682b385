using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>Fusion of the features of several blocks goes wherever an encoder goes.</summary>
[TestClass]
public sealed class FusionTests : IDisposable
{
    private static readonly VisionTransformerConfig s_fused = TinyModels.Encoder with { Depth = 3, Fusion = [0, 2] };
    private readonly string _folder = Directory.CreateTempSubdirectory("smae-fusion-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void TheWeightsBeginEqualAndAreLearned()
    {
        using ImageStore images = TinyModels.Images(32);
        using var fresh = new VisionTransformer(s_fused);
        CollectionAssert.AreEqual((float[])[0.5f, 0.5f], fresh.FusionWeights.ToArray());
        MaePretrainResult result = Pretrain(images, TinyModels.Options with { Encoder = s_fused, Epochs = 15, LearningRate = 3e-3 });
        IReadOnlyList<float> weights = result.Model.Encoder.FusionWeights;
        Assert.HasCount(2, weights);
        Assert.AreEqual(1, weights.Sum(), 1e-6);
        Assert.AreNotEqual(0.5f, weights[0]);
        Assert.IsLessThan(0.8 * result.FirstLoss, result.LastLoss);
    }

    [TestMethod]
    public void SavedEncodersKeepConfigurationWeightsAndEmbeddings()
    {
        string path = Path.Combine(_folder, "encoder.safetensors");
        using ImageStore images = TinyModels.Images(8);
        MaePretrainResult result = Pretrain(images, TinyModels.Options with { Encoder = s_fused });
        result.Encoder.Save(path);
        StringAssert.Matches(File.ReadAllText(Path.ChangeExtension(path, ".json")), new("\"Fusion\": \\[\\s*0,\\s*2\\s*\\]"));
        using ImageEncoder loaded = ImageEncoder.Load(path);
        Assert.AreEqual(result.Encoder.Model.Config, loaded.Model.Config);
        CollectionAssert.AreEqual(result.Model.Encoder.FusionWeights.ToArray(), loaded.Model.FusionWeights.ToArray());
        CollectionAssert.AreEqual(Embed(result.Encoder, images), Embed(loaded, images));

        using var plain = new VisionTransformer(s_fused with { Fusion = null });
        string message = Assert.ThrowsExactly<InvalidDataException>(() => ModelWeights.Load(plain, path)).Message;
        StringAssert.Contains(message, "'fusion.proj_weights' is not part of this model");
        ModelWeights.Load(new VisionTransformer(s_fused), path);
    }

    [TestMethod]
    public void FineTuningCarriesFusionOnOrLeavesItOut()
    {
        LabelledImages images = EasyImages.Create(12);
        using ImageEncoder encoder = ImageEncoder.Create(s_fused);
        var options = new FineTuneOptions { Encoder = encoder, Epochs = 1, BatchSize = 6, LearningRate = 1e-4 };
        using ImageClassifier fused = FineTuning.Run(images, null, options).Model;
        using ImageClassifier plain = FineTuning.Run(images, null, options with { Architecture = s_fused with { Fusion = null } }).Model;
        Assert.IsTrue(fused.Model.Weights.Any(w => w.Name == "fusion.proj_layers.0.weight"));
        Assert.HasCount(2, fused.Model.Backbone.FusionWeights);
        Assert.IsFalse(plain.Model.Weights.Any(w => w.Name.StartsWith("fusion", StringComparison.Ordinal)));
    }

    [TestMethod]
    public void InBFloat16TheFusedOutputIsNearTheExactOne()
    {
        using DisposeScope scope = NewDisposeScope();
        using var encoder = new VisionTransformer(s_fused);
        Tensor images = randn(2, 3, 16, 16), exact = encoder.forward(images);
        encoder.Precision = Precision.BFloat16;
        Tensor rough = encoder.forward(images);
        Assert.AreEqual(ScalarType.Float32, rough.dtype);
        Close.To(exact, rough, 0.03, "bfloat16");
    }

    [TestMethod]
    public void BlockListsAreValues()
    {
        BlockList list = [0, 2, 5];
        Assert.AreEqual(list, [0, 2, 5]);
        Assert.AreEqual(list.GetHashCode(), BlockList.Create([0, 2, 5]).GetHashCode());
        Assert.AreNotEqual(list, [0, 5]);
        Assert.AreEqual("[0,2,5]", JsonSerializer.Serialize(list));
        Assert.AreEqual(list, JsonSerializer.Deserialize<BlockList>("[0, 2, 5]"));
        StringAssert.Contains(s_fused.ToString(), "Fusion = [0, 2]");
    }

    [TestMethod]
    public void BlocksThatAreNotThereOrInDisorderAreNamed()
    {
        (BlockList, string)[] wrong =
        [
            ([], "is empty"), ([0, 3], "names block 3 of 3"), ([-1, 2], "names block -1"), ([1, 0, 2], "[1, 0, 2]"), ([0, 1], "end with the last block, 2"),
        ];
        foreach ((BlockList blocks, string part) in wrong)
        {
            MaePretrainOptions options = TinyModels.Options with { Encoder = s_fused with { Fusion = blocks } };
            string message = Assert.ThrowsExactly<ArgumentException>(options.Validate).Message;
            StringAssert.Contains(message, "Encoder.Fusion");
            StringAssert.Contains(message, part);
        }
    }

    private static MaePretrainResult Pretrain(ImageStore images, MaePretrainOptions options) => MaePretraining.Run(images, options);

    private static float[] Embed(ImageEncoder encoder, ImageStore images)
    {
        var embeddings = new float[encoder.EmbedDim];
        encoder.Embed(images[0], 1, embeddings);
        return embeddings;
    }
}
