using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>
/// Ours computes what the published code of SimMIM, MaskFeat and data2vec computes, from its own weights: predictions, targets, losses, gradients, the next teacher.
/// </summary>
[TestClass]
public class MaskTokenGoldenTests
{
    private const string Head = "of the objective: ";

    /// <summary>One histogram of the golden file of MaskFeat.</summary>
    private sealed record HogCase(string name, int nbins, int pool, int gaussian_window, int height, int width);

    public static IEnumerable<object[]> SimMimFiles => Files("SimMIM");

    public static IEnumerable<object[]> MaskFeatFiles => Files("MaskFeat");

    public static IEnumerable<object[]> Data2VecFiles => Files("data2vec");

    [TestMethod]
    [DynamicData(nameof(SimMimFiles))]
    public void SimMimAgrees(string path)
    {
        using DisposeScope scope = NewDisposeScope();
        SafeTensorsFile file = SafeTensors.Open(path);
        using var model = new MaskedAutoencoder(Encoder(file), target: DecoderTarget.LinearPixels);
        int patch = model.Config.PatchSize;
        (string Name, Tensor Tensor)[] tensors = [.. ModelWeights.Of(model).Where(w => !w.Name.StartsWith("decoder_pred", StringComparison.Ordinal))];
        GoldenModel.Fill(tensors, file, name => $"weights.encoder.{name}");
        Dictionary<string, Tensor> layer = ModelWeights.Of(model).Except(tensors).ToDictionary(w => w.Name, w => w.Tensor);
        using (no_grad())
            foreach ((string name, Tensor tensor) in layer) tensor.copy_(InOurOrder(file.Read(name.Replace("decoder_pred", "weights.decoder.0")), patch));

        PretrainBatch batch = Batch(file);
        Reconstruction made = model.forward(batch.Images, batch.Mask);
        Close.To(file.Read("output.reconstruction"), Patches.ToImages(Objective.SimMim().ToPixels(made), model.Config), 1e-5, "reconstruction");
        Tensor features = file.Read("output.features").flatten(2).transpose(1, 2);
        Close.To(features, model.Encoder.PatchTokens(made.Latent), 1e-5, "features");

        using ObjectiveRun run = Objective.SimMim().Begin(model);
        Tensor loss = run.Loss(batch);
        Close.To(file.Read("output.loss"), loss.reshape(1), 1e-5, "loss");
        loss.backward();
        GoldenModel.CompareGradients(tensors, file, name => $"grad.encoder.{name}");
        foreach ((string name, Tensor tensor) in layer)
            Close.To(InOurOrder(file.Read(name.Replace("decoder_pred", "grad.decoder.0")), patch), tensor.grad!, 1e-4, name);
    }

    [TestMethod]
    [DynamicData(nameof(MaskFeatFiles))]
    public void MaskFeatAgrees(string path)
    {
        using DisposeScope scope = NewDisposeScope();
        SafeTensorsFile file = SafeTensors.Open(path);
        using var model = new MaskedAutoencoder(Encoder(file), target: DecoderTarget.None);
        MaskFeatObjective objective = Objective.MaskFeat() with { Orientations = file.Int("nbins"), GaussianWindow = file.Int("gaussian_window") };
        using var run = (MaskFeatObjective.Run)objective.Begin(model);
        (string, Tensor)[] tensors = [.. ModelWeights.Of(model), .. run.State.Select(s => (Head + s.Name, s.Tensor))];
        string Published(string name) => name.Replace("norm.", "pred_head.transforms.0.0.") is var norm && name.StartsWith("norm.", StringComparison.Ordinal) ? norm
            : name.Replace($"{Head}decoder_pred", "pred_head.projections.0").Replace(Head, "");
        GoldenModel.Fill(tensors, file, name => $"weights.{Published(name)}");

        PretrainBatch batch = Batch(file);
        using HogFeatures features = objective.FeaturesOf(model.Config, CPU);
        Tensor targets = Patches.Pick(features.Of(batch.Images), batch.Mask.HiddenIndices());
        Close.To(file.Read("output.targets"), targets.flatten(0, 1), 1e-5, "histograms: cells of 8x8 are the default for patches of 16");
        Tensor prediction = run.Head.PredictHidden(model.Encoder, model.Encoder.CutIntoPatches(batch.Images), batch.Mask);
        Close.To(file.Read("output.prediction"), prediction.flatten(0, 1), 1e-5, "prediction");
        Tensor loss = run.Loss(batch);
        Close.To(file.Read("output.loss"), loss.reshape(1), 1e-5, "loss");
        loss.backward();
        GoldenModel.CompareGradients(tensors, file, name => $"grad.{Published(name)}");
    }

    [TestMethod]
    [DynamicData(nameof(MaskFeatFiles))]
    public void HistogramsOfOtherCellsAndWindowsAgree(string path)
    {
        SafeTensorsFile file = SafeTensors.Open(path);
        foreach (HogCase c in JsonSerializer.Deserialize<HogCase[]>(file.Metadata["hog_cases"])!)
        {
            using DisposeScope scope = NewDisposeScope();
            VisionTransformerConfig shape = TinyModels.Encoder with { ImageHeight = c.height, ImageWidth = c.width, PatchSize = c.pool };
            MaskFeatObjective objective = Objective.MaskFeat() with { Orientations = c.nbins, GaussianWindow = c.gaussian_window };
            using HogFeatures features = objective.FeaturesOf(shape, CPU);
            Tensor expected = file.Read($"output.hog.{c.name}").flatten(1, 2).flatten(2).transpose(1, 2);   // a cell is a patch
            Close.To(expected, features.Of(file.Read($"input.images.{c.name}")), 1e-5, c.name);
        }
    }

    [TestMethod]
    [DynamicData(nameof(Data2VecFiles))]
    public void Data2VecAgrees(string path)
    {
        using DisposeScope scope = NewDisposeScope();
        SafeTensorsFile file = SafeTensors.Open(path);
        using var model = new MaskedAutoencoder(Encoder(file), target: DecoderTarget.None);
        Data2VecObjective objective = Objective.Data2Vec() with
        {
            TopBlocks = file.Int("top_blocks"), Beta = file.Number("l1_beta"), Momentum = file.Number("ema_decay"),
            InitialMomentum = file.Number("ema_decay_init"), MomentumWarmupSteps = file.Int("ema_start_at"),
        };
        using var run = (Data2VecObjective.Run)objective.Begin(model);
        (string Name, Tensor)[] state = [.. run.State.Select(s => (s.Name.StartsWith("teacher.", StringComparison.Ordinal) ? s.Name : Head + s.Name, s.Tensor))];
        (string, Tensor)[] trained = [.. ModelWeights.Of(model), .. state.Where(s => s.Name.StartsWith(Head, StringComparison.Ordinal))];
        static string Published(string name) => name.Replace($"{Head}decoder_pred", "lm_head").Replace(Head, "");
        GoldenModel.Fill(trained, file, name => $"weights.{Published(name)}");
        (string, Tensor)[] teacher = [.. state.Where(s => s.Name.StartsWith("teacher.", StringComparison.Ordinal))];
        GoldenModel.Fill(teacher, file, name => name);

        PretrainBatch batch = Batch(file);
        Tensor patches = model.Encoder.CutIntoPatches(batch.Images), targets = run.Targets(patches);
        Assert.IsFalse(targets.requires_grad);
        Close.To(file.Read("output.targets"), Patches.Pick(targets, batch.Mask.HiddenIndices()).flatten(0, 1), 1e-5, "targets");
        Close.To(file.Read("output.prediction"), run.Head.PredictHidden(model.Encoder, patches, batch.Mask).flatten(0, 1), 1e-5, "prediction");
        Tensor loss = run.Loss(batch);
        Close.To(file.Read("output.loss"), loss.reshape(1), 1e-5, "loss");
        loss.backward();
        GoldenModel.CompareGradients(trained, file, name => $"grad.{Published(name)}");

        using (no_grad()) run.StepEnded(new TrainingPosition(Epoch: 0, Epochs: 1, Step: file.Int("step"), TotalSteps: 100));
        foreach ((string name, Tensor tensor) in teacher)
            Close.To(file.Read(name.Replace("teacher.", "teacher_after.", StringComparison.Ordinal)), tensor, 1e-6, name);
    }

    private static IEnumerable<object[]> Files(string method) =>
        Golden.Files(f => f.Metadata.GetValueOrDefault("method") == method && f.Contains("input.mask")).Select(path => new object[] { path });

    private static VisionTransformerConfig Encoder(SafeTensorsFile file) => new()
    {
        ImageHeight = file.Int("img_size"), ImageWidth = file.Int("img_size"), PatchSize = file.Int("patch_size"), EmbedDim = file.Int("embed_dim"),
        Depth = file.Int("depth"), NumHeads = file.Int("num_heads"), MlpRatio = file.Number("mlp_ratio"), LayerNormEpsilon = file.Number("layer_norm_eps"),
        Positions = PositionEncoding.Learned,
    };

    private static GivenBatch Batch(SafeTensorsFile file)
    {
        Tensor hidden = file.Read("input.mask");
        return new GivenBatch(file.Read("input.images"), PatchMask.FromFlags([.. hidden.data<float>().ToArray().Select(h => h > 0)], (int)hidden.size(1)));
    }

    /// <summary>The pixels of a patch from (channel, row, column), as a pixel shuffle has them, to ours: weight or bias of the layer that predicts them.</summary>
    private static Tensor InOurOrder(Tensor layer, int patch) =>
        layer.view(-1, patch, patch, layer.numel() / layer.size(0)).permute(1, 2, 0, 3).reshape(layer.dim() == 1 ? [layer.size(0)] : [layer.size(0), -1]);
}
