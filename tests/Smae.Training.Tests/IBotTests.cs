using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>
/// Ours computes what the published code of iBOT computes, from its own weights: losses, centres, gradients, temperatures. Its masks, and what it refuses.
/// </summary>
[TestClass]
public class IBotTests
{
    private const string MaskToken = "mask_token", PatchCenter = "patch_center";

    public static IEnumerable<object[]> Files => Golden.Files(f => f.Metadata.GetValueOrDefault("method") == "iBOT").Select(path => new object[] { path });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void LossesCentresAndGradientsAgree(string path)
    {
        using DisposeScope scope = NewDisposeScope();
        SafeTensorsFile file = SafeTensors.Open(path);
        int size = file.Int("img_size"), local = file.Int("local_crops");
        using var model = new MaskedAutoencoder(
            new VisionTransformerConfig
            {
                ImageHeight = size, ImageWidth = size, PatchSize = file.Int("patch_size"), EmbedDim = file.Int("embed_dim"), Depth = file.Int("depth"),
                NumHeads = file.Int("num_heads"), MlpRatio = file.Number("mlp_ratio"), LayerNormEpsilon = file.Number("layer_norm_eps"),
                Positions = PositionEncoding.Learned,
            }, target: DecoderTarget.None);
        IBotObjective objective = Of(file) with { LocalCrops = local, LocalCropSide = 1 };
        using var run = (IBotObjective.PatchRun)objective.Begin(model);
        (string Name, Tensor Tensor)[] trained = [.. ModelWeights.Of(model).Select(w => ($"backbone.{w.Name}", w.Tensor)), .. Named("head.")];
        Tensor token = Named(MaskToken).Single().Tensor, center = Named("center").Single().Tensor, patchCenter = Named(PatchCenter).Single().Tensor;
        GoldenModel.Fill(trained, file, name => $"weights.{name}");
        GoldenModel.Fill(Named("teacher."), file,
            name => name.StartsWith("teacher.head.", StringComparison.Ordinal) ? name : name.Replace("teacher.", "teacher.backbone."));
        using (no_grad())
        {
            token.copy_(file.Read("weights.backbone.masked_embed"));
            center.copy_(file.Read("input.center"));
            patchCenter.copy_(file.Read("input.center2").view(1, -1));
        }

        Tensor[] crops = [.. Enumerable.Range(0, 2 + local).Select(i => file.Read($"input.crops.{i}"))];
        (Tensor classes, Tensor patches) = run.Losses(crops, file.Read("input.masks").to_type(ScalarType.Bool), file.Int("epoch"));
        (Tensor ofClasses, Tensor ofPatches) = (classes * objective.ClassWeight, patches * objective.PatchWeight);
        Close.To(file.Read("output.cls"), ofClasses.reshape(1), 1e-5, "loss of class tokens");
        Close.To(file.Read("output.patch"), ofPatches.reshape(1), 1e-5, "loss of patches");
        Close.To(file.Read("output.loss"), (ofClasses + ofPatches).reshape(1), 1e-5, "loss");
        (ofClasses + ofPatches).backward();
        GoldenModel.CompareGradients(trained, file, name => $"grad.{name}");
        Close.To(file.Read("grad.backbone.masked_embed"), token.grad!.squeeze(1), 1e-4, MaskToken);
        Assert.IsTrue(Named("teacher.").All(s => s.Tensor.grad is null), "the teacher holds gradients");

        Close.To(file.Read("input.center"), center, 0, "the centre before the step ends");
        run.StepEnded(new TrainingPosition(file.Int("epoch"), file.Int("epochs"), 0, 1));
        Close.To(file.Read("output.center_after"), center, 1e-5, "centre of class tokens");
        Close.To(file.Read("output.center2_after").view(1, -1), patchCenter, 1e-5, "centre of patches");

        (string Name, Tensor Tensor)[] Named(string prefix) => [.. run.State.Where(s => s.Name.StartsWith(prefix, StringComparison.Ordinal))];
    }

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void TheTemperaturesAgree(string path)
    {
        SafeTensorsFile file = SafeTensors.Open(path);
        IBotObjective objective = Of(file);
        void Same(string name, Func<int, double> at)
        {
            double[] expected = file.Read($"schedule.{name}").data<double>().ToArray();
            Assert.HasCount(file.Int("epochs"), expected);
            for (int epoch = 0; epoch < expected.Length; epoch++) Assert.AreEqual(expected[epoch], at(epoch), 1e-12, $"{name}, epoch {epoch}");
        }
        Same("temperature", objective.TeacherTemperatureAt);
        Same("patch_temperature", objective.TeacherPatchTemperatureAt);
    }

    [TestMethod]
    public void CropsHideWhatTheyShould()
    {
        using DisposeScope scope = NewDisposeScope();
        const int crops = 4000;
        IBotObjective objective = Objective.IBot() with { WholeEpochs = 3 };
        Assert.AreEqual(0, objective.DrawHidden(crops, 14, 14, epoch: 2, seed: 1).sum().ToInt64(), "no patch is hidden in the first epochs");
        Tensor hidden = objective.DrawHidden(crops, 14, 14, epoch: 3, seed: 1), counts = hidden.sum(1), some = counts[counts.gt(0)];
        Assert.AreEqual(0.5, (double)some.size(0) / crops, 0.04, "crops that hide patches");
        Assert.IsTrue(some.max().ToInt64() <= 98 && some.min().ToInt64() >= 10, "from a tenth to half of the patches");
        Assert.AreEqual(0.3 * 196, some.to_type(ScalarType.Float64).mean().ToDouble(), 4, "rectangles leave little of the ratio");
        Assert.IsTrue(hidden.Equals(objective.DrawHidden(crops, 14, 14, epoch: 3, seed: 1)), "the same seed");
        Assert.IsFalse(hidden.Equals(objective.DrawHidden(crops, 14, 14, epoch: 3, seed: 2)), "another seed");
        Assert.AreEqual(0, (objective with { WholeCrops = 1 }).DrawHidden(9, 4, 4, epoch: 9, seed: 1).sum().ToInt64());
    }

    /// <summary>A batch in which nothing is hidden has a loss of 0 for its patches, with a gradient of 0.</summary>
    [TestMethod]
    public void NothingHiddenIsNoLoss()
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new MaskedAutoencoder(TinyModels.Encoder, target: DecoderTarget.None);
        using var run = (IBotObjective.PatchRun)Tiny.Begin(model);
        Tensor[] crops = [.. Enumerable.Range(0, 2).Select(_ => randn(2, 3, 16, 16))];
        (Tensor classes, Tensor patches) = run.Losses(crops, zeros(4, 16, ScalarType.Bool), epoch: 0);
        Assert.AreEqual(0, patches.ToDouble());
        (classes + patches).backward();
        Assert.IsTrue(run.Parameters.Where(p => p.grad is not null).All(p => p.grad!.isfinite().all().ToBoolean()));
    }

    [TestMethod]
    public void WhatCannotWorkIsNamed()
    {
        MaePretrainOptions options = TinyModels.Options with { Epochs = 2, Objective = Objective.IBot() with { HiddenRatio = 0.1, WholeEpochs = 3, WholeCrops = 2 } };
        string message = Assert.ThrowsExactly<ArgumentException>(options.Validate).Message;
        string[] faults =
        [
            "Objective.HiddenRatioVariation is 0.2: expected at most Objective.HiddenRatio (0.1)", "Objective.WholeEpochs is 3", "Objective.WholeCrops is 2",
            "Objective.TeacherTemperatureWarmupEpochs is 30: expected a number up to Epochs (2).",
        ];
        foreach (string fault in faults) StringAssert.Contains(message, fault);
    }

    private static IBotObjective Tiny => Objective.IBot() with
    {
        OutputDim = 16, HiddenDim = 16, BottleneckDim = 8, LocalCrops = 0, TeacherTemperatureWarmupEpochs = 0,
    };

    private static IBotObjective Of(SafeTensorsFile file) => Objective.IBot() with
    {
        OutputDim = file.Int("out_dim"), HiddenDim = file.Int("hidden_dim"), BottleneckDim = file.Int("bottleneck_dim"), HeadLayers = file.Int("nlayers"),
        StudentTemperature = file.Number("student_temperature"), CenterMomentum = file.Number("center_momentum"),
        PatchCenterMomentum = file.Number("center_momentum2"), ClassWeight = file.Number("lambda1"), PatchWeight = file.Number("lambda2"),
        WarmupTeacherTemperature = file.Number("warmup_teacher_temp"), TeacherTemperature = file.Number("teacher_temp"),
        WarmupTeacherPatchTemperature = file.Number("warmup_teacher_temp2"), TeacherPatchTemperature = file.Number("teacher_temp2"),
        TeacherTemperatureWarmupEpochs = file.Int("warmup_teacher_temp_epochs"), WholeEpochs = file.Int("pred_start_epoch"),
    };
}
