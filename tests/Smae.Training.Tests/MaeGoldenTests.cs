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

    public static IEnumerable<object[]> Files =>
        Golden.Files(f => f.Metadata.ContainsKey("norm_pix_loss") && f.Metadata.ContainsKey("adamw")).Select(path => new object[] { path });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void ForwardAgreesToOneInAHundredThousand(string path) => Run(path, (file, model, loss) =>
    {
        (Reconstruction reconstruction, Tensor value) = loss();
        Close.To(file.Read("output.mask"), reconstruction.Mask.Hidden(), 0, "mask");
        Close.To(file.Read("output.ids_restore"), reconstruction.Mask.Restore, 0, "ids_restore");
        Close.To(file.Read("output.latent"), reconstruction.Latent, 1e-5, "latent");
        Close.To(file.Read("output.prediction"), reconstruction.Prediction, 1e-5, "prediction");
        Close.To(file.Read("output.loss"), value.reshape(1), 1e-5, "loss");
    });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void GradientsAgreeToOneInTenThousand(string path) => Run(path, (file, model, loss) =>
    {
        loss().Loss.backward();
        foreach ((string name, Tensor parameter) in ModelWeights.Of(model).Where(w => w.Tensor.requires_grad))
            CompareParts(name, file.Read($"grad.{name}"), parameter.grad!, Gradient, keys => keys.abs().max().ToDouble() < 1e-6);

        static void Gradient(Tensor expected, Tensor actual, string what) => Close.To(expected, actual, 1e-4, what);
    });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void ThreeStepsOfAdamWAgreeToOneInAHundredThousand(string path) => Run(path, (file, model, loss) =>
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
        {
            Tensor before = file.Read($"weights.{name}");
            double limit = 1.01 * Number("steps") * Number("lr");
            CompareParts(name, file.Read($"after3.{name}"), weight, Weight, keys => (keys - before.chunk(3)[1]).abs().max().ToDouble() < limit);
        }

        // Absolute: Adam divides small gradients by their size, so the published code's own float32 and float64 lie up to 8.6e-6 apart here.
        static void Weight(Tensor expected, Tensor actual, string what) => Close.Within(expected, actual, 1e-5, what);
    });

    /// <summary>
    /// The bias of the keys adds the same to every score of a query, which a softmax does not see: its gradient is rounding alone, and Adam, which divides a
    /// gradient by its size, steps in a direction of chance. There only the size is compared.
    /// </summary>
    private static void CompareParts(string name, Tensor expected, Tensor actual, Action<Tensor, Tensor, string> compare, Func<Tensor, bool> keysAreSmall)
    {
        if (!name.EndsWith("qkv.bias", StringComparison.Ordinal))
        {
            compare(expected, actual, name);
            return;
        }
        Tensor[] expectedParts = expected.chunk(3), parts = actual.chunk(3);
        compare(expectedParts[0], parts[0], name + ", queries");
        compare(expectedParts[2], parts[2], name + ", values");
        Assert.IsTrue(keysAreSmall(parts[1]), name + ", keys");
    }

    private static void Run(string path, Action<SafeTensorsFile, MaskedAutoencoder, Func<(Reconstruction Reconstruction, Tensor Loss)>> check)
    {
        using DisposeScope scope = NewDisposeScope();
        SafeTensorsFile file = SafeTensors.Open(path);
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
