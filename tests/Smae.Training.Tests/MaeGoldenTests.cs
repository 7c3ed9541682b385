using System.Globalization;
using System.Text.RegularExpressions;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>Ours computes what facebookresearch/mae computes: forward, gradients and three steps of AdamW, from its own weights.</summary>
[TestClass]
public partial class MaeGoldenTests
{
    [GeneratedRegex(@"lr (?<lr>\S+) betas (?<b1>[^,]+),(?<b2>\S+) eps (?<eps>\S+) weight_decay (?<wd>\S+).*?(?<steps>\d+) steps")]
    private static partial Regex AdamWText { get; }

    private static IReadOnlyList<SafeTensorsFile> Files => Golden.Files(f => f.Metadata.ContainsKey("norm_pix_loss") && f.Metadata.ContainsKey("adamw"));

    [TestMethod]
    public void ForwardAgreesToOneInAHundredThousand() => OnEachFile((file, model, loss) =>
    {
        (Reconstruction reconstruction, Tensor value) = loss();
        Close.To(file.Read("output.mask"), reconstruction.Mask.Hidden(), 0, "mask");
        Close.To(file.Read("output.ids_restore"), reconstruction.Mask.Restore, 0, "ids_restore");
        Close.To(file.Read("output.latent"), reconstruction.Latent, 1e-5, "latent");
        Close.To(file.Read("output.prediction"), reconstruction.Prediction, 1e-5, "prediction");
        Close.To(file.Read("output.loss"), value.reshape(1), 1e-5, "loss");
    });

    [TestMethod]
    public void GradientsAgreeToOneInTenThousand() => OnEachFile((file, model, loss) =>
    {
        loss().Loss.backward();
        foreach ((string name, Tensor parameter) in ModelWeights.Of(model).Where(w => w.Tensor.requires_grad))
            Close.To(file.Read($"grad.{name}"), parameter.grad!, 1e-4, name);
    });

    [TestMethod]
    public void ThreeStepsOfAdamWAgreeToOneInAHundredThousand() => OnEachFile((file, model, loss) =>
    {
        Match m = AdamWText.Match(file.Metadata["adamw"]);
        double Number(string group) => double.Parse(m.Groups[group].Value, CultureInfo.InvariantCulture);
        using var optimizer = new AdamW(ParameterGroup.Of(model, Number("wd")), Number("b1"), Number("b2"), Number("eps"));
        for (int step = 0; step < (int)Number("steps"); step++)
        {
            optimizer.ZeroGrad();
            loss().Loss.backward();
            optimizer.Step(Number("lr"));
        }
        Close.To(file.Read("output.loss_after_3_steps"), loss().Loss.reshape(1), 1e-5, "loss");
        foreach ((string name, Tensor weight) in ModelWeights.Of(model))
            CompareStepped(file, name, weight);
    });

    /// <summary>
    /// Adam divides a gradient by its own size. Where a gradient is nothing but rounding (a key's bias cannot change a softmax), the step's
    /// direction is noise on both sides: there only its length can be compared.
    /// </summary>
    private static void CompareStepped(SafeTensorsFile file, string name, Tensor weight)
    {
        Tensor expected = file.Read($"after3.{name}");
        if (!name.EndsWith("qkv.bias", StringComparison.Ordinal))
        {
            Close.To(expected, weight, 1e-5, name);
            return;
        }
        Tensor[] expectedParts = expected.chunk(3), parts = weight.chunk(3);
        Close.To(expectedParts[0], parts[0], 1e-5, name + ", queries");
        Close.To(expectedParts[2], parts[2], 1e-5, name + ", values");
        Assert.IsLessThanOrEqualTo(3.1e-3, parts[1].abs().max().ToDouble(), name + ", keys: three steps at a rate of 1e-3");
    }

    private static void OnEachFile(Action<SafeTensorsFile, MaskedAutoencoder, Func<(Reconstruction Reconstruction, Tensor Loss)>> check)
    {
        foreach (SafeTensorsFile file in Files)
        {
            using DisposeScope scope = NewDisposeScope();
            using MaskedAutoencoder model = Create(file);
            Tensor images = file.Read("input.images"), noise = file.Read("input.noise");
            double ratio = double.Parse(file.Metadata["mask_ratio"], CultureInfo.InvariantCulture);
            PixelObjective objective = Objective.Pixel(normalizePatches: bool.Parse(file.Metadata["norm_pix_loss"]));
            check(file, model, () =>
            {
                Reconstruction reconstruction = model.forward(images, PatchMask.FromNoise(noise, ratio));
                return (reconstruction, objective.Loss(reconstruction));
            });
        }
    }

    private static MaskedAutoencoder Create(SafeTensorsFile file)
    {
        int Int(string key) => int.Parse(file.Metadata[key], CultureInfo.InvariantCulture);
        double Double(string key) => double.Parse(file.Metadata[key], CultureInfo.InvariantCulture);
        var encoder = new VisionTransformerConfig
        {
            ImageHeight = Int("img_size"), ImageWidth = Int("img_size"), PatchSize = Int("patch_size"), EmbedDim = Int("embed_dim"), Depth = Int("depth"),
            NumHeads = Int("num_heads"), MlpRatio = Double("mlp_ratio"), LayerNormEpsilon = Double("layer_norm_eps"),
        };
        var decoder = new DecoderConfig
        {
            EmbedDim = Int("decoder_embed_dim"), Depth = Int("decoder_depth"), NumHeads = Int("decoder_num_heads"), MlpRatio = Double("mlp_ratio"),
            LayerNormEpsilon = Double("layer_norm_eps"),
        };
        var model = new MaskedAutoencoder(encoder, decoder);
        foreach ((string name, Tensor table) in ModelWeights.Of(model).Where(w => w.Tensor is not Parameter))
            Close.To(file.Read($"weights.{name}"), table, 1e-6, $"{name} as we compute it");
        ModelWeights.Load(ModelWeights.Of(model), file, _ => false, prefix: "weights.");
        return model;
    }
}
