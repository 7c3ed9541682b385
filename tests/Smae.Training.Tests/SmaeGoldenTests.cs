using System.Globalization;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>Ours computes what MLReproHub/SMAE computes, from its own weights: model, critic, losses, gradients.</summary>
[TestClass]
public class SmaeGoldenTests
{
    private const string Weights = "weights.", Critic = "critic.", Gradients = "grad.", Loss = "output.smae_loss_alpha_";

    public static IEnumerable<object[]> Files => Golden
        .Files(f => f.Contains("output.scale_c") && f.Contains($"{Weights}encoder.enc_layers.0.msa.0.project_q.weight"))
        .Select(path => new object[] { path });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void PatchesMaskAndReconstructionAgreeToOneInAHundredThousand(string path) => Run(path, (file, model, images, mask) =>
    {
        Reconstruction reconstruction = model.forward(images, mask);
        Tensor ChannelFirst(Tensor patches) => patches.view(patches.size(0), patches.size(1), -1, model.Config.Channels).transpose(2, 3).flatten(2);
        Close.To(file.Read("output.patches"), ChannelFirst(reconstruction.Prediction), 1e-5, "patches");
        Close.To(file.Read("output.target_patches"), ChannelFirst(reconstruction.Patches), 0, "target patches");
        Close.To(file.Read("output.reconstruction"), Patches.ToImages(reconstruction.Prediction, model.Config), 1e-5, "reconstruction");
        Tensor hidden = file.Read("output.mask_indices");
        Close.To(zeros(hidden.size(0), mask.PatchCount).scatter_(1, hidden, ones(hidden.shape)), mask.Hidden(), 0, "mask");
    });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void TheCriticGivesTheSameFeaturesAndLogits(string path) => Run(path, (file, model, images, mask) =>
    {
        using SqueezeNet cut = SqueezeNet.Load(file, SqueezeNet.CriticDepth, Critic), whole = SqueezeNet.Load(file, 13, Critic);
        whole.eval();
        Close.To(file.Read("output.critic_features"), cut.forward(images), 1e-5, "features");
        Close.To(file.Read("output.critic_logits"), whole.forward(images), 1e-5, "logits");
    });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void EachLossAgreesToOneInAHundredThousand(string path) => Run(path, (file, model, images, mask) =>
    {
        Reconstruction reconstruction = model.forward(images, mask);
        void Same(string name, Tensor loss) => Close.To(file.Read(name), loss.reshape(1), 1e-5, name);
        Same("output.pixel_loss_masked", Objective.Pixel(normalizePatches: false).Loss(reconstruction));
        Same("output.pixel_loss_all", Objective.Pixel(normalizePatches: false, hiddenOnly: false).Loss(reconstruction));

        using SqueezeNet critic = SqueezeNet.Load(file, SqueezeNet.CriticDepth, Critic);
        SemanticObjective objective = Objective.Semantic(1, critic);
        (string, bool)[] perceptual = [("output.perceptual_loss_eq2", false), ("output.perceptual_loss_sigmoid", true)];
        foreach ((string name, bool sigmoid) in perceptual)
        {
            using ObjectiveRun run = (objective with { Sigmoid = sigmoid }).Begin(model);
            Tensor loss = run.Loss(images, mask);
            Same(name, loss / run.State.Single(s => s.Name == "scales").Tensor[1]);
        }
    });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void TheFirstBatchMeasuresTheScale(string path) => Run(path, (file, model, images, mask) =>
        WithLosses(file, model, (alpha, run, expected) =>
    {
        Tensor loss = run.Loss(images, mask), again = run.Loss(images, mask);
        Close.To(file.Read("output.scale_c"), run.State.Single(s => s.Name == "scales").Tensor.narrow(0, 1, 1), 1e-5, "scale");
        Close.To(expected, loss.reshape(1), 1e-5, $"loss at alpha {alpha}");
        Assert.AreEqual(loss.ToDouble(), again.ToDouble());
    }));

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void GradientsAgreeToOneInTenThousand(string path) => Run(path, (file, model, images, mask) =>
        WithLosses(file, model, (alpha, run, expected) =>
    {
        run.Loss(images, mask).backward();
        foreach ((string name, Tensor weight) in ModelWeights.Of(model).Where(w => w.Tensor is Parameter))
        {
            Tensor gradient = ModelWeights.ReadSmae(file, name, model.Config, Gradients)!, ours = weight.grad!;
            if (name.EndsWith("qkv.bias", StringComparison.Ordinal))   // what a key's bias adds is the same for all keys, and softmax does not see it
            {
                Assert.IsLessThan(1e-6, ours.chunk(3)[1].abs().max().ToDouble(), $"{name}, keys");
                (gradient, ours) = (WithoutKeys(gradient), WithoutKeys(ours));
            }
            Close.To(gradient, ours, 1e-4, name);
        }

        static Tensor WithoutKeys(Tensor bias) => cat([bias.chunk(3)[0], bias.chunk(3)[2]], 0);
    }));

    [TestMethod]
    public void NamesThatDoNotFitAreNamed()
    {
        string path = Path.GetTempFileName();
        using DisposeScope scope = NewDisposeScope();
        try
        {
            SafeTensors.Save(path, [("patch_projection.weight", zeros(32, 47)), ("something.else", zeros(1))]);
            using var model = new MaskedAutoencoder(TinyModels.Encoder with { ClassToken = ClassToken.Last, Depth = 1 });
            string message = Assert.ThrowsExactly<InvalidDataException>(() => ModelWeights.LoadSmae(model, path)).Message;
            StringAssert.Contains(message, "'patch_projection.weight' has the shape [32, 47], expected [32, 48]");
            StringAssert.Contains(message, "'encoder.enc_layers.0.msa.0.project_k.bias' is missing");
            StringAssert.Contains(message, "'something.else' is not part of this model");
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Every SMAE loss of the file, with the alpha that its name tells.</summary>
    private static void WithLosses(SafeTensorsFile file, MaskedAutoencoder model, Action<double, ObjectiveRun, Tensor> check)
    {
        string[] names = [.. file.Names.Where(n => n.StartsWith(Loss, StringComparison.Ordinal))];
        Assert.IsNotEmpty(names);
        foreach (string name in names)
        {
            double alpha = double.Parse(name[Loss.Length..], CultureInfo.InvariantCulture);
            using SqueezeNet critic = SqueezeNet.Load(file, SqueezeNet.CriticDepth, Critic);
            using ObjectiveRun run = Objective.Semantic(alpha, critic).Begin(model);
            check(alpha, run, file.Read(name));
            Assert.IsTrue(critic.parameters().All(p => p.grad is null && !p.requires_grad), "the critic holds gradients");
        }
    }

    private static void Run(string path, Action<SafeTensorsFile, MaskedAutoencoder, Tensor, PatchMask> check)
    {
        using DisposeScope scope = NewDisposeScope();
        SafeTensorsFile file = SafeTensors.Open(path);
        using MaskedAutoencoder model = Create(file);
        model.eval();
        double ratio = double.Parse(file.Metadata["mask_ratio"], CultureInfo.InvariantCulture);
        check(file, model, file.Read("input.images"), PatchMask.FromNoise(file.Read("input.noise"), ratio));
    }

    private static MaskedAutoencoder Create(SafeTensorsFile file)
    {
        int Int(string key) => int.Parse(file.Metadata[key], CultureInfo.InvariantCulture);
        double MlpRatio(string stack, int dim) => (double)file.Shape($"{Weights}{stack}.enc_layers.0.feed_forward.0.weight")[0] / dim;
        var encoder = VisionTransformerConfig.VitLite7_4.ForImages(Int("image_size"), Int("patch_size")) with
        {
            EmbedDim = Int("dim"), Depth = Int("depth"), NumHeads = Int("heads"), MlpRatio = MlpRatio("encoder", Int("dim")),
            Channels = (int)file.Read("input.images").size(1),
        };
        var decoder = DecoderConfig.Smae with
        {
            EmbedDim = Int("decoder_dim"), Depth = Int("decoder_depth"), NumHeads = Int("heads"), MlpRatio = MlpRatio("decoder", Int("decoder_dim")),
        };
        var model = new MaskedAutoencoder(encoder, decoder);
        foreach ((string ours, string theirs) in (IEnumerable<(string, string)>)[("pos_embed", "encoder"), ("decoder_pos_embed", "decoder")])
        {
            Tensor table = ModelWeights.Of(model).Single(w => w.Name == ours).Tensor;
            Close.To(file.Read($"positions.{theirs}").unsqueeze(0), table, 1e-5, $"{ours} as we compute it");
        }
        ModelWeights.LoadSmae(model, file, Weights);
        return model;
    }
}
