using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>
/// Ours computes what the published code of SdAE computes, from its own weights: folds, targets, losses, gradients, the teacher's next weights.
/// </summary>
[TestClass]
public class SdaeGoldenTests
{
    public static IEnumerable<object[]> Files =>
        Golden.Files(f => f.Metadata.ContainsKey("fold_rule") && f.Contains("teacher_after.cls_token")).Select(path => new object[] { path });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void FoldsTargetsAndLossesAgreeToOneInAHundredThousand(string path) => Run(path, FeatureLoss.TokenCosine, (file, model, run, batch) =>
    {
        int folds = file.Int("folds");
        Tensor hidden = batch.Mask.HiddenIndices(), prediction = model.forward(batch.Images, batch.Mask).Prediction;
        Close.To(file.Read("output.masked_positions"), hidden, 0, "hidden");
        Close.To(file.Read("output.fold_positions"), hidden.reshape(hidden.size(0) * folds, -1), 0, "folds");
        Close.To(file.Read("output.prediction"), prediction, 1e-5, "prediction");
        Close.To(file.Read("output.student_folds"), run.InFolds(Patches.Pick(prediction, batch.Mask.HiddenIndices())), 1e-5, "predicted folds");
        Tensor features = run.TeacherFeatures(batch);
        Close.To(file.Read("output.teacher_features"), features, 1e-5, "features");
        Assert.IsFalse(features.requires_grad);
        Close.To(file.Read("output.teacher_targets"), SelfDistillationObjective.Targets(features), 1e-5, "targets");
        Close.To(file.Read("output.loss_channel_cosine"), run.Loss(batch).reshape(1), 1e-5, "loss over the channels of a token");
    });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void TheLossOfThePublishedCodeIsAnOption(string path) => Run(path, FeatureLoss.ChannelCosine, (file, model, run, batch) =>
        Close.To(file.Read("output.loss"), run.Loss(batch).reshape(1), 1e-5, "loss over the tokens of a fold"));

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void GradientsAgreeToOneInTenThousand(string path)
    {
        (FeatureLoss, string)[] losses = [(FeatureLoss.TokenCosine, "grad_channel."), (FeatureLoss.ChannelCosine, "grad.")];
        foreach ((FeatureLoss loss, string prefix) in losses)
            Run(path, loss, (file, model, run, batch) =>
            {
                run.Loss(batch).backward();
                GoldenModel.CompareGradients(ModelWeights.Of(model), file, name => prefix + name);
                Assert.IsTrue(run.State.All(s => !s.Tensor.requires_grad && s.Tensor.grad is null), "the teacher holds gradients");
            });
    }

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void TheTeacherFollowsAsThere(string path) => Run(path, FeatureLoss.TokenCosine, (file, model, run, batch) =>
    {
        run.EpochEnded(new TrainingPosition(Epoch: 0, Epochs: 300, Step: 9, TotalSteps: 3000));
        foreach ((string name, Tensor tensor) in run.State)
            Close.To(file.Read(name.Replace("teacher.", "teacher_after.", StringComparison.Ordinal)), tensor, 1e-6, name);
    });

    private static void Run(string path, FeatureLoss loss, Action<SafeTensorsFile, MaskedAutoencoder, SelfDistillationObjective.Run, PretrainBatch> check)
    {
        using DisposeScope scope = NewDisposeScope();
        SafeTensorsFile file = SafeTensors.Open(path);
        JsonElement shape = file.Json("encoder"), decoderShape = file.Json("decoder");
        int size = file.Int("img_size");
        double epsilon = file.Number("layer_norm_eps"), ratio = shape.GetProperty("mlp_ratio").GetDouble();
        var encoder = new VisionTransformerConfig
        {
            ImageHeight = size, ImageWidth = size, PatchSize = file.Int("patch_size"), EmbedDim = shape.Int("embed_dim"), Depth = shape.Int("depth"),
            NumHeads = shape.Int("num_heads"), MlpRatio = ratio, LayerNormEpsilon = epsilon,
        };
        var decoder = new DecoderConfig
        {
            EmbedDim = decoderShape.Int("decoder_embed_dim"), Depth = decoderShape.Int("decoder_depth"),
            NumHeads = decoderShape.Int("decoder_num_heads"), MlpRatio = ratio, LayerNormEpsilon = epsilon,
        };
        using var model = new MaskedAutoencoder(encoder, decoder, target: DecoderTarget.Features);
        GoldenModel.Fill(ModelWeights.Of(model), file, name => $"weights.{name}");
        SelfDistillationObjective objective = Objective.SelfDistilledFeatures(file.Int("folds")) with
        {
            Loss = loss, Momentum = file.Number("momentum"),
        };
        using var run = (SelfDistillationObjective.Run)objective.Begin(model);
        GoldenModel.Fill(run.State, file, name => name);
        check(file, model, run, new GivenBatch(file.Read("input.images"), file.Mask()));
    }
}
