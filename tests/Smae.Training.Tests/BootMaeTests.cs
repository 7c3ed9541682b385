using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>
/// Ours computes what the published code of BootMAE computes, from its own weights: predictions, both losses, gradients, schedules. Its masks, and what it refuses.
/// </summary>
[TestClass]
public class BootMaeTests
{
    private const string PixelBias = "pixels.decoder_pred.bias";

    public static IEnumerable<object[]> Files =>
        Golden.Files(f => f.Metadata.GetValueOrDefault("method") == "BootMAE").Select(path => new object[] { path });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void PredictionsLossesAndGradientsAgree(string path) => Run(path, weightMiddles: true, (file, model, run, batch) =>
    {
        Tensor patches = model.Encoder.CutIntoPatches(batch.Images), hidden = batch.Mask.HiddenIndices();
        (Tensor pixels, Tensor features) = run.Predict(patches, batch.Mask);
        Close.To(Patches.Pick(Patches.FromImages(file.Read("output.pixels"), model.Config.PatchSize), hidden), pixels, 1e-5, "pixels");
        Close.To(Patches.Pick(file.Read("output.features"), hidden), features, 1e-5, "features");
        Tensor targets = run.TeacherFeatures(patches);
        Assert.IsFalse(targets.requires_grad);
        Close.To(file.Read("output.teacher_features"), targets, 1e-5, "the teacher's features");
        (Tensor ofPixels, Tensor ofFeatures) = run.Losses(batch.Images, batch.Mask);
        Close.To(file.Read("output.pixel_loss"), ofPixels.reshape(1), 1e-5, "loss of pixels");
        Close.To(file.Read("output.feature_loss"), ofFeatures.reshape(1), 1e-5, "loss of features");

        Tensor loss = run.Loss(batch);
        Close.To(file.Read("output.loss"), loss.reshape(1), 1e-5, "loss");
        loss.backward();
        (string Name, Tensor Tensor)[] trained = [.. ModelWeights.Of(model), .. run.State.Where(s => !s.Name.StartsWith("teacher.", StringComparison.Ordinal))];
        GoldenModel.CompareGradients(trained.Where(t => t.Name != PixelBias), file, name => $"grad.{name}");
        Tensor bias = trained.Single(t => t.Name == PixelBias).Tensor.grad!;   // there a number for each channel, which all pixels share
        Close.To(file.Read($"grad.{PixelBias}"), bias.view(-1, model.Config.Channels).sum([0L]), 1e-4, PixelBias);
        Assert.IsTrue(run.State.Where(s => s.Name.StartsWith("teacher.", StringComparison.Ordinal)).All(s => s.Tensor.grad is null), "the teacher holds gradients");
    });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void LossesWithoutWeightsOfMiddlesAgree(string path) => Run(path, weightMiddles: false, (file, model, run, batch) =>
    {
        (Tensor ofPixels, Tensor ofFeatures) = run.Losses(batch.Images, batch.Mask);
        Close.To(file.Read("output.flat_pixel_loss"), ofPixels.reshape(1), 1e-5, "loss of pixels");
        Close.To(file.Read("output.flat_feature_loss"), ofFeatures.reshape(1), 1e-5, "loss of features");
        Close.To(file.Read("output.flat_loss"), run.Loss(batch).reshape(1), 1e-5, "loss");
    });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void TheTeachersShareGoesAsThere(string path)
    {
        SafeTensorsFile file = SafeTensors.Open(path);
        BootMaeObjective objective = Objective.BootMae() with { Momentum = file.Number("model_ema_decay") };
        double[] expected = file.Read("schedule.momentum").data<double>().ToArray();
        int[] epochs = [.. file.Json("momentum_epochs").EnumerateArray().Select(e => e.GetInt32())];
        Assert.HasCount(epochs.Length, expected);
        for (int i = 0; i < epochs.Length; i++) Assert.AreEqual(expected[i], objective.MomentumAt(epochs[i]), 1e-12, $"epoch {epochs[i]}");
    }

    /// <summary>Bit for bit the same whether a step's gradients are made at once or in parts.</summary>
    [TestMethod]
    public void ItsLossIsTheMeanOfItsImages()
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new MaskedAutoencoder(TinyModels.Encoder, target: DecoderTarget.None);
        using ObjectiveRun run = Objective.BootMae().Begin(model);
        var batch = new GivenBatch(randn(4, 3, 16, 16), PatchMask.FromNoise(rand(4, 16), 0.75));
        double parts = (run.Loss(batch.Slice(0, 1)).ToDouble() + 3 * run.Loss(batch.Slice(1, 4)).ToDouble()) / 4;
        Assert.AreEqual(run.Loss(batch).ToDouble(), parts, 1e-5);
    }

    [TestMethod]
    public void RectanglesHideTheirShareAndPatchesTheRest()
    {
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator(5);
        Tensor hidden = Masking.BlockWise(0.75, minPatches: 16, maxPatches: 60, inRectangles: 0.61).Draw(200, 14, 14, generator).Hidden();
        Assert.IsTrue(hidden.sum(1).eq(147).all().ToBoolean());
        Tensor Alone(Tensor h) => (h.mul(nn.functional.avg_pool2d(h.view(-1, 1, 14, 14), 3, 1, 1).flatten(1).lt(0.5)).sum() / 200);
        double mixed = Alone(hidden).ToDouble(), whole = Alone(Masking.BlockWise(0.75).Draw(200, 14, 14, generator).Hidden()).ToDouble();
        double single = Alone(Masking.Random(0.75).Draw(200, 14, 14, generator).Hidden()).ToDouble();
        Assert.IsTrue(whole < mixed && mixed < single, $"patches among visible ones: {whole}, {mixed}, {single}");
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Masking.BlockWise(0.6, inRectangles: 0.7));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Masking.BlockWise(0.6, minPatches: 16, maxPatches: 15));
    }

    [TestMethod]
    public void WhatCannotWorkIsNamed()
    {
        MaePretrainOptions options = TinyModels.Options with
        {
            Objective = Objective.BootMae() with { FeatureWeight = -1, Momentum = 2 }, Decoder = DecoderConfig.Mae with { NumHeads = 7 },
        };
        string message = Assert.ThrowsExactly<ArgumentException>(options.Validate).Message;
        foreach (string fault in (string[])["Objective.FeatureWeight is -1", "Objective.Momentum is 2", "Decoder.NumHeads is 7: expected a divisor"])
            StringAssert.Contains(message, fault);
        options = options with { Objective = Objective.BootMae(), Decoder = null, Masking = Masking.Random(0.99) };
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(options.Validate).Message, "Masking hides");
    }

    private static void Run(string path, bool weightMiddles, Action<SafeTensorsFile, MaskedAutoencoder, BootMaeObjective.Run, PretrainBatch> check)
    {
        using DisposeScope scope = NewDisposeScope();
        SafeTensorsFile file = SafeTensors.Open(path);
        int size = file.Int("img_size"), heads = file.Int("num_heads");
        double epsilon = file.Number("layer_norm_eps"), ratio = file.Number("mlp_ratio");
        var encoder = new VisionTransformerConfig
        {
            ImageHeight = size, ImageWidth = size, PatchSize = file.Int("patch_size"), EmbedDim = file.Int("embed_dim"), Depth = file.Int("depth"), NumHeads = heads,
            MlpRatio = ratio, LayerNormEpsilon = epsilon,
        };
        var decoder = new DecoderConfig
        {
            EmbedDim = file.Int("decode_dim"), Depth = file.Int("decoder_depth"), NumHeads = heads, MlpRatio = ratio, LayerNormEpsilon = epsilon,
        };
        using var model = new MaskedAutoencoder(encoder, decoder, target: DecoderTarget.None);
        BootMaeObjective objective = Objective.BootMae() with { FeatureWeight = file.Number("feature_weight"), WeightMiddles = weightMiddles };
        using var run = (BootMaeObjective.Run)objective.Begin(model);
        GoldenModel.Fill([.. ModelWeights.Of(model), .. run.State], file, name => name.StartsWith("teacher.", StringComparison.Ordinal) ? name : $"weights.{name}");
        var position = new TrainingPosition(file.Int("epoch"), file.Int("epochs"), 0, 1);
        check(file, model, run, new GivenBatch(file.Read("input.images"), file.Mask(), position));
    }
}
