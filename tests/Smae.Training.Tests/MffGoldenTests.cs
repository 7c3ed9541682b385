using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>Ours computes what mmpretrain's MFF computes, from its own weights: fused features, loss, gradients.</summary>
[TestClass]
public class MffGoldenTests
{
    public static IEnumerable<object[]> Files =>
        Golden.Files(f => f.Metadata.ContainsKey("fusion") && f.Contains("weights.backbone.proj_weights")).Select(path => new object[] { path });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void FeaturesFusionAndLossAgreeToOneInAHundredThousand(string path) => Run(path, (file, model, images, mask) =>
    {
        VisionTransformer encoder = model.Encoder;
        Tensor[] streams = [.. encoder.Streams(encoder.CutIntoPatches(images), mask.Visible)];
        foreach (int block in encoder.Config.Fusion!) Close.To(file.Read($"output.feature.{block}"), streams[block], 1e-5, $"feature {block}");
        Close.To(file.Read("output.fused"), encoder.Finish(streams, normalize: false), 1e-5, "fused");
        Close.To(file.Read("output.fusion_weights"), tensor(encoder.FusionWeights.ToArray()), 1e-5, "weights");

        Reconstruction reconstruction = model.forward(images, mask);
        Close.To(file.Read("output.latent"), reconstruction.Latent, 1e-5, "latent");
        Close.To(file.Read("output.prediction"), reconstruction.Prediction, 1e-5, "prediction");
        Close.To(file.Read("output.loss"), Pixels(file).Loss(reconstruction).reshape(1), 1e-5, "loss");
    });

    [TestMethod]
    [DynamicData(nameof(Files))]
    public void GradientsAgreeToOneInTenThousand(string path) => Run(path, (file, model, images, mask) =>
    {
        Pixels(file).Loss(model.forward(images, mask)).backward();
        GoldenModel.CompareGradients(ModelWeights.Of(model), file, name => "grad." + Theirs(name));
    });

    private static PixelObjective Pixels(SafeTensorsFile file) => Objective.Pixel(normalizePatches: file.Json("norm_pix").GetBoolean());

    private static void Run(string path, Action<SafeTensorsFile, MaskedAutoencoder, Tensor, PatchMask> check)
    {
        using DisposeScope scope = NewDisposeScope();
        SafeTensorsFile file = SafeTensors.Open(path);
        JsonElement shape = file.Json("encoder"), decoderShape = file.Json("decoder");
        int size = file.Int("img_size");
        var encoder = new VisionTransformerConfig
        {
            ImageHeight = size, ImageWidth = size, PatchSize = file.Int("patch_size"), EmbedDim = shape.Int("embed_dims"),
            Depth = shape.Int("num_layers"), NumHeads = shape.Int("num_heads"),
            MlpRatio = (double)shape.Int("feedforward_channels") / shape.Int("embed_dims"),
            LayerNormEpsilon = file.Number("layer_norm_eps"), Fusion = JsonSerializer.Deserialize<BlockList>(file.Metadata["out_indices"]),
        };
        var decoder = new DecoderConfig
        {
            EmbedDim = decoderShape.Int("decoder_embed_dim"), Depth = decoderShape.Int("decoder_depth"),
            NumHeads = decoderShape.Int("decoder_num_heads"), MlpRatio = decoderShape.GetProperty("mlp_ratio").GetDouble(),
            LayerNormEpsilon = file.Number("layer_norm_eps"),
        };
        using var model = new MaskedAutoencoder(encoder, decoder);
        GoldenModel.Fill(ModelWeights.Of(model), file, name => "weights." + Theirs(name));
        check(file, model, file.Read("input.images"), file.Mask());
    }

    /// <summary>The name that mmpretrain gives a tensor of ours.</summary>
    private static string Theirs(string name)
    {
        bool decoder = name.StartsWith("decoder", StringComparison.Ordinal) || name == "mask_token";
        string theirs = (decoder ? "neck." : "backbone.") + (name.StartsWith("fusion.", StringComparison.Ordinal) ? name["fusion.".Length..] : name);
        (string Ours, string Theirs)[] parts =
        [
            ("backbone.norm.", "backbone.ln1."), ("neck.decoder_norm.", "neck.ln1."), (".norm1.", ".ln1."), (".norm2.", ".ln2."),
            ("backbone.blocks.", "backbone.layers."), (".mlp.fc1.", ".ffn.layers.0.0."), (".mlp.fc2.", ".ffn.layers.1."),
            (".patch_embed.proj.", ".patch_embed.projection."),
        ];
        return parts.Aggregate(theirs, (current, part) => current.Replace(part.Ours, part.Theirs, StringComparison.Ordinal));
    }
}
