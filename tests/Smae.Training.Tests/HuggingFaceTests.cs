using System.Text;
using System.Text.RegularExpressions;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>Files with the names, shapes and configurations that Hugging Face publishes give the same numbers as the same weights under our own names.</summary>
[TestClass]
public sealed class HuggingFaceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("smae-hf-").FullName;

    public static VisionTransformerConfig Config { get; } = TinyModels.Encoder with { Positions = PositionEncoding.Learned, LayerNormEpsilon = 1e-12 };

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    [DataRow("", "vit")]
    [DataRow("vit.", "vit")]
    [DataRow("module.vit.", "vit")]
    [DataRow("vit.", "vit_mae")]
    public void AnEncoderIsLoadedFromItsFolder(string prefix, string kind)
    {
        using DisposeScope scope = NewDisposeScope();
        VisionTransformerConfig config = kind == "vit" ? Config : Config with { Positions = PositionEncoding.SineCosine2D };
        using var model = new VisionTransformer(config, seed: 5);
        Blur(model);
        Save(_folder, model, prefix, kind);
        File.WriteAllText(Path.Combine(_folder, "preprocessor_config.json"),
            """{"image_mean":[0.5,0.4,0.3],"image_std":[0.2,0.3,0.4],"size":{"height":16,"width":16}}""");
        using ImageEncoder encoder = ImageEncoder.Load(_folder), again = ImageEncoder.Load(Path.Combine(_folder, "model.safetensors"));
        Tensor images = randn(2, 3, 16, 16);
        Assert.IsTrue(encoder.Model.forward(images).Equals(model.forward(images)));
        Assert.IsTrue(again.Model.forward(images).Equals(model.forward(images)));
        CollectionAssert.AreEqual(new[] { 0.5f, 0.4f, 0.3f }, encoder.Preprocessing.Mean.ToArray());
        Assert.AreEqual(kind == "vit" ? Pooling.ClassToken : Pooling.Mean, encoder.Pooling);
    }

    [TestMethod]
    public void AnAutoencoderIsLoaded()
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new MaskedAutoencoder(TinyModels.Encoder, seed: 5);
        using var loaded = new MaskedAutoencoder(TinyModels.Encoder, seed: 6);
        Blur(model);
        string path = Path.Combine(_folder, "model.safetensors");
        SafeTensors.Save(path, ModelWeights.Of(model).SelectMany(w => Published(w.Name, w.Tensor, "vit.", "")));
        ModelWeights.Load(loaded, path);
        Tensor images = randn(2, 3, 16, 16);
        PatchMask mask = PatchMask.FromNoise(rand(2, 16), 0.75);
        Assert.IsTrue(loaded.forward(images, mask).Prediction.Equals(model.forward(images, mask).Prediction));
    }

    [TestMethod]
    public void ShardsAreReadByTheirIndex()
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new VisionTransformer(Config, seed: 5);
        Save(_folder, model, "");
        SafeTensorsFile whole = SafeTensors.Open(Path.Combine(_folder, "model.safetensors"));
        string[][] parts = [.. whole.Names.Chunk(20)];
        for (int i = 0; i < parts.Length; i++) SafeTensors.Save(Path.Combine(_folder, $"part{i}.safetensors"), parts[i].Select(n => (n, whole.Read(n))));
        File.Delete(whole.Path);
        string map = string.Join(",", parts.SelectMany((names, i) => names.Select(n => $"\"{n}\":\"part{i}.safetensors\"")));
        string index = Path.Combine(_folder, "model.safetensors.index.json");
        File.WriteAllText(index, "{\"metadata\":{},\"weight_map\":{" + map + "}}");
        // Editors on Windows put a byte order mark first.
        foreach (string json in (string[])[index, Path.Combine(_folder, "config.json")]) File.WriteAllText(json, File.ReadAllText(json), Encoding.UTF8);
        File.WriteAllText(Path.Combine(_folder, "preprocessor_config.json"), """{"image_mean":[0.5,0.4,0.3]}""", Encoding.UTF8);
        using ImageEncoder encoder = ImageEncoder.Load(_folder);
        Tensor images = randn(1, 3, 16, 16);
        Assert.IsTrue(encoder.Model.forward(images).Equals(model.forward(images)));
        CollectionAssert.AreEqual(new[] { 0.5f, 0.4f, 0.3f }, encoder.Preprocessing.Mean.ToArray());
        File.WriteAllText(index, """{"weight_map":{"a":"../elsewhere.safetensors"}}""");
        Assert.ThrowsExactly<InvalidDataException>(() => SafeTensors.Open(index));
    }

    [TestMethod]
    [DataRow("module.")]
    [DataRow("backbone.")]
    [DataRow("encoder.")]
    [DataRow("module.backbone.")]
    public void APrefixBeforeOurNamesIsPassedOver(string prefix)
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new VisionTransformer(Config, seed: 5);
        using var loaded = new VisionTransformer(Config, seed: 6);
        string path = Path.Combine(_folder, "weights.safetensors");
        SafeTensors.Save(path, [.. ModelWeights.Of(model).Select(w => (prefix + w.Name, w.Tensor)), ("head.weight", zeros(2, 32)), ($"{prefix}head.bias", zeros(2))]);
        ModelWeights.Load(loaded, path);
        Tensor images = randn(1, 3, 16, 16);
        Assert.IsTrue(loaded.forward(images).Equals(model.forward(images)));

        SafeTensors.Save(path, ModelWeights.Of(model).SelectMany(w => new[] { ("student." + w.Name, w.Tensor), ("teacher." + w.Name, w.Tensor) }));
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => ModelWeights.Load(loaded, path)).Message, "'student.', 'teacher.'");
    }

    [TestMethod]
    [DataRow("""{"model_type":"swin"}""", "model_type is swin")]
    [DataRow("""{"model_type":"vit","hidden_act":"silu"}""", "hidden_act is silu")]
    [DataRow("""{"model_type":"dinov2","use_swiglu_ffn":true}""", "use_swiglu_ffn")]
    [DataRow("""{"architecture":"swin_tiny_patch4"}""", "architecture is swin_tiny_patch4")]
    [DataRow("""{"hidden_size":32}""", "neither model_type nor architecture")]
    [DataRow("""{"model_type":"vit"}""", "has the shape [32, 3, 4, 4], expected [768, 3, 16, 16]")]
    public void AnotherModelIsRefusedByName(string config, string expected)
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new VisionTransformer(Config);
        Save(_folder, model, "");
        File.WriteAllText(Path.Combine(_folder, "config.json"), config);
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => ImageEncoder.Load(_folder)).Message, expected);
    }

    [TestMethod]
    public void AProcessorThatDoesNotNormaliseIsObeyed()
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new VisionTransformer(Config, seed: 5);
        Save(_folder, model, "");
        File.WriteAllText(Path.Combine(_folder, "preprocessor_config.json"), """{"do_normalize":false,"image_mean":[0.5,0.4,0.3],"image_std":[0.2,0.3,0.4]}""");
        using ImageEncoder encoder = ImageEncoder.Load(_folder);
        Tensor bytes = randint(0, 256, [1, 16, 16, 3], ScalarType.Byte);
        Tensor tokens = model.forward(bytes.to_type(ScalarType.Float32).DividedBy(255f).permute(0, 3, 1, 2));
        Close.To(model.Pool(tokens, Pooling.ClassToken), encoder.Embed(bytes), 1e-5, "embedding");
    }

    /// <summary>Writes an encoder as Hugging Face does.</summary>
    internal static void Save(string folder, VisionTransformer model, string prefix, string kind = "vit")
    {
        VisionTransformerConfig c = model.Config;
        string outer = prefix.EndsWith("vit.") ? prefix[..^4] : prefix;
        SafeTensors.Save(Path.Combine(folder, "model.safetensors"),
            [.. ModelWeights.Of(model).SelectMany(w => Published(w.Name, w.Tensor, prefix, outer)),
             ($"{outer}classifier.weight", zeros(2, 32)), ($"{prefix}pooler.dense.bias", zeros(32))]);
        File.WriteAllText(Path.Combine(folder, "config.json"), $$"""
            {"model_type":"{{kind}}","hidden_size":{{c.EmbedDim}},"num_hidden_layers":{{c.Depth}},"num_attention_heads":{{c.NumHeads}},"intermediate_size":{{c.MlpDim}},
             "image_size":{{c.ImageHeight}},"patch_size":{{c.PatchSize}},"num_channels":{{c.Channels}},"layer_norm_eps":1e-12,"hidden_act":"gelu","qkv_bias":true}
            """);
    }

    /// <summary>The published names, written down a second time: those of transformers' modeling_vit.py and modeling_vit_mae.py.</summary>
    private static IEnumerable<(string, Tensor)> Published(string name, Tensor tensor, string vit, string outer)
    {
        Match block = Regex.Match(name, @"^(decoder_)?blocks\.(\d+)\.(.+)\.(weight|bias)$");
        if (block.Success)
        {
            string stack = block.Groups[1].Success ? $"{outer}decoder.decoder_layers" : $"{vit}encoder.layer", kind = block.Groups[4].Value,
                at = $"{stack}.{block.Groups[2].Value}.";
            if (block.Groups[3].Value == "attn.qkv")
                return tensor.chunk(3).Zip((string[])["query", "key", "value"], (part, which) => ($"{at}attention.attention.{which}.{kind}", part.contiguous()));
            string part = block.Groups[3].Value switch
            {
                "attn.proj" => "attention.output.dense", "mlp.fc1" => "intermediate.dense", "mlp.fc2" => "output.dense",
                "norm1" => "layernorm_before", "norm2" => "layernorm_after", _ => throw new ArgumentException(name),
            };
            return [($"{at}{part}.{kind}", tensor)];
        }
        string theirs = name switch
        {
            "cls_token" => $"{vit}embeddings.cls_token", "pos_embed" => $"{vit}embeddings.position_embeddings",
            "patch_embed.proj.weight" => $"{vit}embeddings.patch_embeddings.projection.weight",
            "patch_embed.proj.bias" => $"{vit}embeddings.patch_embeddings.projection.bias",
            "norm.weight" => $"{vit}layernorm.weight", "norm.bias" => $"{vit}layernorm.bias", _ => $"{outer}decoder.{name}",
        };
        return [(theirs, tensor)];
    }

    /// <summary>Biases and norms too get numbers of their own, so that no two may be exchanged unseen.</summary>
    private static void Blur(nn.Module model)
    {
        using var noGrad = no_grad();
        foreach (var parameter in model.parameters()) parameter.add_(randn_like(parameter) * 0.05);
    }
}
