using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

[TestClass]
public class VisionTransformerTests
{
    [TestMethod]
    public void PatchesArePutTogetherAgainAsTheyWere()
    {
        using DisposeScope scope = NewDisposeScope();
        VisionTransformerConfig config = TinyModels.Encoder with { ImageHeight = 8, ImageWidth = 12, Channels = 2 };
        Tensor images = randn(3, 2, 8, 12), patches = Patches.FromImages(images, 4);
        CollectionAssert.AreEqual(new long[] { 3, 6, 32 }, patches.shape);
        Assert.IsTrue(Patches.ToImages(patches, config).Equals(images));
    }

    [TestMethod]
    public void APatchIsFlattenedAsRowColumnChannel()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor images = arange(2 * 4 * 4).reshape(1, 2, 4, 4);   // value = channel * 16 + row * 4 + column
        Tensor second = Patches.FromImages(images, 2)[0, 1];      // rows 0-1, columns 2-3
        CollectionAssert.AreEqual(new long[] { 2, 18, 3, 19, 6, 22, 7, 23 }, second.data<long>().ToArray());
    }

    [TestMethod]
    public void ProjectingPatchesIsTheConvolutionThatTheWeightIsStoredAs()
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new VisionTransformer(TinyModels.Encoder);
        Dictionary<string, Tensor> weights = ModelWeights.Of(model).ToDictionary(w => w.Name, w => w.Tensor);
        Tensor images = randn(2, 3, 16, 16);
        Tensor expected = nn.functional.conv2d(images, weights["patch_embed.proj.weight"], weights["patch_embed.proj.bias"], strides: [4, 4]).flatten(2).transpose(1, 2);
        Tensor embedded = new PatchEmbedProbe(model).Embed(images);
        Close.To(expected, embedded, 1e-5, "patch embedding");
    }

    [TestMethod]
    [DataRow(ClassToken.First, 17)]
    [DataRow(ClassToken.Last, 17)]
    [DataRow(ClassToken.None, 16)]
    public void TokensArePatchesAndTheClassToken(ClassToken classToken, int tokens)
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new VisionTransformer(TinyModels.Encoder with { ClassToken = classToken });
        Tensor output = model.forward(randn(2, 3, 16, 16));
        CollectionAssert.AreEqual(new long[] { 2, tokens, 32 }, output.shape);
        CollectionAssert.AreEqual(new long[] { 2, 32 }, model.Pool(output, Pooling.Mean).shape);
        if (classToken == ClassToken.None) Assert.ThrowsExactly<InvalidOperationException>(() => model.Pool(output, Pooling.ClassToken));
        else CollectionAssert.AreEqual(new long[] { 2, 32 }, model.Pool(output, Pooling.ClassToken).shape);
    }

    [TestMethod]
    public void ABlockLeavesNoTensorsBehindButItsResult()
    {
        int Left(int depth)
        {
            using var model = new VisionTransformer(TinyModels.Encoder with { Depth = depth });
            using DisposeScope scope = NewDisposeScope();
            using var noGrad = no_grad();
            model.forward(randn(2, 3, 16, 16));
            return scope.DisposablesCount;
        }

        Assert.AreEqual(4, Left(5) - Left(1), "the stream after each block");
    }

    [TestMethod]
    [DataRow(PositionEncoding.SineCosine2D, ResidualStyle.PreNorm, Activation.Gelu, true)]
    [DataRow(PositionEncoding.SineCosine1D, ResidualStyle.Normed, Activation.Relu, false)]
    [DataRow(PositionEncoding.Learned, ResidualStyle.PreNorm, Activation.Relu, true)]
    public void RectangularImagesOfAnyChannelCountPassThroughEveryVariant(PositionEncoding positions, ResidualStyle residual, Activation activation, bool norm)
    {
        using DisposeScope scope = NewDisposeScope();
        VisionTransformerConfig config = TinyModels.Encoder with
        {
            ImageHeight = 8, ImageWidth = 20, Channels = 5, Positions = positions, Residual = residual, Activation = activation, FinalNorm = norm,
        };
        using var model = new MaskedAutoencoder(config);
        using var generator = new Generator(1);
        Reconstruction output = model.forward(randn(2, 5, 8, 20), Masking.Random(0.5).Draw(2, 2, 5, generator));
        CollectionAssert.AreEqual(new long[] { 2, 10, 80 }, output.Prediction.shape);
        Objective.Pixel().Loss(output).backward();
        foreach ((string name, Tensor parameter) in ModelWeights.Of(model).Where(w => w.Tensor.requires_grad))
            Assert.IsTrue(parameter.grad is { } g && g.isfinite().all().item<bool>(), name);
    }

    [TestMethod]
    public void WhatIsHiddenCannotBeSeen()
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = new MaskedAutoencoder(TinyModels.Encoder);
        using var generator = new Generator(5);
        PatchMask mask = Masking.Random(0.75).Draw(2, 4, 4, generator);
        Tensor patches = randn(2, 16, 48), hidden = mask.Hidden().unsqueeze(-1);
        Tensor changed = patches + hidden * randn(2, 16, 48);
        Tensor first = model.forward(Patches.ToImages(patches, TinyModels.Encoder), mask).Prediction;
        Tensor second = model.forward(Patches.ToImages(changed, TinyModels.Encoder), mask).Prediction;
        Assert.IsTrue(first.Equals(second), "changing hidden patches changed the prediction");
        Tensor visibleChanged = patches + (1 - hidden) * randn(2, 16, 48);
        Assert.IsFalse(model.forward(Patches.ToImages(visibleChanged, TinyModels.Encoder), mask).Prediction.Equals(first));
    }

    [TestMethod]
    public void BFloat16IsCloseToFloat32()
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = new VisionTransformer(TinyModels.Encoder);
        Tensor images = randn(4, 3, 16, 16), exact = model.forward(images);
        model.Precision = Precision.BFloat16;
        Tensor rough = model.forward(images);
        Assert.AreEqual(ScalarType.Float32, rough.dtype);
        Close.To(exact, rough, 0.03, "bfloat16");
        Assert.IsFalse(rough.Equals(exact), "nothing was computed in bfloat16");
    }

    [TestMethod]
    public void TheSameSeedGivesTheSameWeights()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor Weights(long seed) => ModelWeights.Of(new MaskedAutoencoder(TinyModels.Encoder, seed: seed)).First(w => w.Name == "decoder_pred.weight").Tensor;
        Assert.IsTrue(Weights(1).Equals(Weights(1)));
        Assert.IsFalse(Weights(1).Equals(Weights(2)));
    }

    [TestMethod]
    public void PresetsHaveThePublishedNumberOfParameters()
    {
        using DisposeScope scope = NewDisposeScope();
        static long Count(VisionTransformerConfig config)
        {
            using var model = new VisionTransformer(config);
            return model.parameters().Sum(p => p.numel());
        }
        Assert.AreEqual(3.72e6, Count(VisionTransformerConfig.VitLite7_4), 0.02e6, "SMAE paper");
        Assert.AreEqual(5_524_416 - 197 * 192, Count(VisionTransformerConfig.VitTiny16), "timm's vit_tiny_patch16_224 without head and position table");
        Assert.AreEqual(21_665_664 - 197 * 384, Count(VisionTransformerConfig.VitSmall16), "timm's vit_small_patch16_224 without head and position table");
    }

    [TestMethod]
    public void ImagesOfAnotherSizeAreRefusedWithBothSizes()
    {
        using var model = new VisionTransformer(TinyModels.Encoder);
        using Tensor images = zeros(1, 3, 16, 20);
        string message = Assert.ThrowsExactly<ArgumentException>(() => model.forward(images)).Message;
        StringAssert.Contains(message, "[1, 3, 16, 20]");
        StringAssert.Contains(message, "[batch, 3, 16, 16]");
    }

    [TestMethod]
    public void AConfigurationNamesAllItsFaults()
    {
        VisionTransformerConfig wrong = TinyModels.Encoder with { ImageHeight = 18, PatchSize = 4, NumHeads = 5, Channels = 0 };
        string message = Assert.ThrowsExactly<ArgumentException>(() => new VisionTransformer(wrong)).Message;
        foreach (string part in (string[])["ImageHeight is 18", "multiple of Encoder.PatchSize (4)", "NumHeads is 5", "Channels is 0"])
            StringAssert.Contains(message, part);
    }

    /// <summary>Tokens before the first block: positions and class token taken off again.</summary>
    private sealed class PatchEmbedProbe(VisionTransformer model)
    {
        public Tensor Embed(Tensor images)
        {
            var embed = (PatchEmbed)model.named_children().First(c => c.Item1 == "patch_embed").Item2;
            return embed.forward(model.CutIntoPatches(images), ScalarType.Float32);
        }
    }
}
