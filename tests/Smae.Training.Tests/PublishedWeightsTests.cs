using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>
/// Encoders under the names and shapes that timm, facebookresearch/dinov2 and transformers publish give what code written from their definitions gives
/// (<c>golden/published.safetensors</c>).
/// </summary>
[TestClass]
public sealed class PublishedWeightsTests : IDisposable
{
    private static readonly VisionTransformerConfig s_config = new()
    {
        ImageHeight = 16, ImageWidth = 16, PatchSize = 4, EmbedDim = 16, Depth = 2, NumHeads = 2, MlpRatio = 2, Positions = PositionEncoding.Learned,
        DefaultDecoder = new DecoderConfig { EmbedDim = 8, Depth = 1, NumHeads = 2, MlpRatio = 2, LayerNormEpsilon = 1e-12 },
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("smae-published-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static SafeTensorsFile File { get; } = SafeTensors.Open(Golden.Files(f => f.Contains("vit_mae/logits"))[0]);

    private string Weights => Path.Combine(_folder, "model.safetensors");

    [TestMethod]
    [DataRow("timm", 0, false, ClassToken.First)]
    [DataRow("timm-no-bias", 0, false, ClassToken.First)]
    [DataRow("timm-registers", 3, true, ClassToken.First)]
    [DataRow("timm-no-class-token", 1, false, ClassToken.None)]
    [DataRow("facebook-dinov2", 4, true, ClassToken.First)]
    public void AFileWithoutDescriptionIsLoadedIntoItsShape(string name, int registers, bool scale, ClassToken token)
    {
        using DisposeScope scope = NewDisposeScope();
        VisionTransformerConfig config = s_config with { RegisterTokens = registers, LayerScale = scale ? 1e-5 : null, ClassToken = token };
        Unpack(name);
        using var encoder = new VisionTransformer(config, seed: 3);
        ModelWeights.Load(encoder, Weights);
        Compare(name, encoder);

        using var autoencoder = new MaskedAutoencoder(config, seed: 4);
        string report = StartingWeights.Load(autoencoder, Weights, new ImagePreprocessing { Height = 16, Width = 16 });
        Compare(name, autoencoder.Encoder);
        StringAssert.Contains(report, "the decoder is random, since the file has none");
        Assert.AreEqual(name == "timm-no-bias", report.Contains("biases of queries, keys and values 0"), report);
    }

    [TestMethod]
    [DataRow("vit")]
    [DataRow("vit-no-bias")]
    [DataRow("vit_mae")]
    [DataRow("dinov2")]
    [DataRow("dinov2_with_registers")]
    public void AFolderOfTransformersIsLoaded(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        Unpack(name);
        using ImageEncoder encoder = ImageEncoder.Load(_folder);
        Compare(name, encoder.Model);
        Assert.AreEqual(name == "vit_mae" ? Pooling.Mean : Pooling.ClassToken, encoder.Pooling);

        string saved = Path.Combine(_folder, "saved", "encoder.safetensors");
        encoder.Save(saved);
        using ImageEncoder again = ImageEncoder.Load(saved);
        Assert.AreEqual(encoder.Model.Config, again.Model.Config);
        Tensor bytes = randint(0, 256, [2, encoder.Preprocessing.Height, encoder.Preprocessing.Width, 3], ScalarType.Byte);
        Assert.IsTrue(encoder.Embed(bytes).Equals(again.Embed(bytes)));

        using var classifier = new VisionTransformerClassifier(encoder.Model.Config, 3, Pooling.ClassToken);
        classifier.CopyFrom(again.Model);
        Compare(name, classifier.Backbone);
    }

    /// <summary>As published: the positions are for larger images than the processor makes.</summary>
    [TestMethod]
    [DataRow("dinov2")]
    [DataRow("dinov2_with_registers")]
    public void DinoV2IsForTheSizeThatItsProcessorCropsTo(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        Unpack(name);
        System.IO.File.WriteAllText(
            Path.Combine(_folder, "preprocessor_config.json"),
            """{"crop_size":{"height":12,"width":24},"do_center_crop":true,"size":{"shortest_edge":14},"image_mean":[0.5,0.5,0.5],"image_std":[0.2,0.3,0.4]}""");
        using ImageEncoder encoder = ImageEncoder.Load(_folder);
        Close.To(File.Read($"{name}/tokens_resized"), encoder.Model.forward(File.Read($"{name}/images_resized")), 1e-5, name);
        Assert.AreEqual((12, 24, ResizeMode.Crop), (encoder.Preprocessing.Height, encoder.Preprocessing.Width, encoder.Preprocessing.Resize));

        // Another size by the caller's choice: from the grid in config.json.
        using var other = new VisionTransformer(encoder.Model.Config with { ImageHeight = 12, ImageWidth = 24 });
        ModelWeights.Load(other, Weights, resizePositions: true);
        Close.To(File.Read($"{name}/tokens_resized"), other.forward(File.Read($"{name}/images_resized")), 1e-5, name);

        using var from = ImageEncoder.Load(_folder);
        VisionTransformerClassifier classifier = new(from.Model.Config, 3, Pooling.ClassToken);
        using (classifier)
        {
            classifier.CopyFrom(from.Model);
            Close.To(File.Read($"{name}/tokens_resized"), classifier.Backbone.forward(File.Read($"{name}/images_resized")), 1e-5, "classifier");
        }
    }

    [TestMethod]
    public void ViTMaeIsAnAutoencoderToBeginFrom()
    {
        using DisposeScope scope = NewDisposeScope();
        Unpack("vit_mae");
        using var model = new MaskedAutoencoder(s_config with { Positions = PositionEncoding.SineCosine2D, LayerNormEpsilon = 1e-12 }, seed: 5);
        StringAssert.Contains(StartingWeights.Load(model, _folder, new ImagePreprocessing { Height = 16, Width = 16 }), "the decoder too.");
        PatchMask mask = PatchMask.FromNoise(File.Read("vit_mae/noise"), 0.75);
        Reconstruction made = model.forward(File.Read("vit_mae/images"), mask);
        Close.To(File.Read("vit_mae/latent"), made.Latent, 1e-5, "latent");
        Close.To(File.Read("vit_mae/logits"), made.Prediction, 1e-5, "logits");
    }

    /// <summary>timm's own configuration says little: the shape is read off the weights.</summary>
    [TestMethod]
    [DataRow("vit_tiny_patch4_reg2_dinov2", 2, 1.0, ClassToken.First)]
    [DataRow("vit_tiny_patch4_16", 0, null, ClassToken.First)]
    [DataRow("vit_tiny_patch4_reg1_gap_16", 1, null, ClassToken.None)]
    [DataRow("deit3_tiny_patch4_16", 0, 1.0, ClassToken.First)]   // no position for the class token
    public void AFolderOfTimmIsLoaded(string architecture, int registers, double? scale, ClassToken token)
    {
        using DisposeScope scope = NewDisposeScope();
        VisionTransformerConfig config = s_config with
        {
            EmbedDim = 24, NumHeads = 3, ImageWidth = 24, RegisterTokens = registers, LayerScale = scale, ClassToken = token, DefaultDecoder = DecoderConfig.Mae,
        };
        using var model = new VisionTransformer(config, seed: 5);
        Tensor table = ModelWeights.Of(model).Single(w => w.Name == "pos_embed").Tensor;
        bool noRow = architecture.StartsWith("deit3", StringComparison.Ordinal);
        if (noRow) using (no_grad()) table.narrow(1, 0, 1).zero_();
        SafeTensors.Save(Weights, [.. ModelWeights.Of(model).Select(w => w.Name == "pos_embed" && noRow ? (w.Name, table.narrow(1, 1, table.size(1) - 1)) : w),
            ("head.weight", zeros(2, 24)), ("head.bias", zeros(2))]);
        System.IO.File.WriteAllText(Path.Combine(_folder, "config.json"), $$"""
            {"architecture":"{{architecture}}","num_classes":2,"num_features":24,"global_pool":"{{(token == ClassToken.First ? "token" : "avg")}}",
             "pretrained_cfg":{"input_size":[3,16,24],"mean":[0.5,0.4,0.3],"std":[0.2,0.2,0.2],"first_conv":"patch_embed.proj","classifier":"head"} }
            """);
        using ImageEncoder encoder = ImageEncoder.Load(_folder);
        Assert.AreEqual(config, encoder.Model.Config);
        Assert.AreEqual(token == ClassToken.First ? Pooling.ClassToken : Pooling.Mean, encoder.Pooling);
        CollectionAssert.AreEqual(new[] { 0.5f, 0.4f, 0.3f }, encoder.Preprocessing.Mean.ToArray());
        Tensor images = randn(1, 3, 16, 24);
        Assert.IsTrue(encoder.Model.forward(images).Equals(model.forward(images)));
    }

    /// <summary>transformers wraps timm's models; img_size of model_args is what the model was made with, input_size what its weights were published for.</summary>
    [TestMethod]
    [DataRow("timm_model.", "\"model_type\":\"timm_wrapper\",\"model_args\":null,", 16, 24)]
    [DataRow("", "\"model_args\":{\"img_size\":32},", 32, 32)]
    [DataRow("", "\"model_args\":{\"img_size\":[8,12],\"global_pool\":\"token\"},", 8, 12)]
    public void AFolderOfTimmSaysHowItsModelWasMade(string prefix, string settings, int height, int width)
    {
        using DisposeScope scope = NewDisposeScope();
        VisionTransformerConfig config = s_config with { EmbedDim = 24, NumHeads = 3, ImageHeight = height, ImageWidth = width, DefaultDecoder = DecoderConfig.Mae };
        using var model = new VisionTransformer(config, seed: 5);
        SafeTensors.Save(Weights, ModelWeights.Of(model).Select(w => (prefix + w.Name, w.Tensor)));
        System.IO.File.WriteAllText(Path.Combine(_folder, "config.json"),
            $$"""{"architecture":"vit_tiny_patch4_16",{{settings}}"global_pool":"token","pretrained_cfg":{"input_size":[3,16,24]} }""");
        using ImageEncoder encoder = ImageEncoder.Load(_folder);
        Assert.AreEqual(config, encoder.Model.Config);
        Assert.AreEqual((height, width), (encoder.Preprocessing.Height, encoder.Preprocessing.Width));
        Tensor images = randn(1, 3, height, width);
        Assert.IsTrue(encoder.Model.forward(images).Equals(model.forward(images)));
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(4)]
    [DataRow(7)]
    public void AnotherNumberOfChannelsIsAsTimmAdaptsIt(int channels)
    {
        using DisposeScope scope = NewDisposeScope();
        Close.To(File.Read($"adapt/channels{channels}"), PatchAdaption.ToChannels(File.Read("adapt/weight"), channels), 1e-6, "weight");
    }

    [TestMethod]
    [DataRow(2)]
    [DataRow(3)]
    [DataRow(5)]
    [DataRow(8)]
    public void AnotherPatchSizeIsAsTimmResamplesIt(int size)
    {
        using DisposeScope scope = NewDisposeScope();
        Close.To(File.Read($"adapt/patch{size}"), PatchAdaption.ToPatches(File.Read("adapt/weight"), size), 1e-5, "weight");
    }

    [TestMethod]
    [DataRow("blocks.0.mlp.w12.weight")]
    [DataRow("encoder.layer.0.mlp.weights_in.weight")]
    public void AGatedMlpIsRefusedByName(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new VisionTransformer(s_config);
        SafeTensors.Save(Weights, [.. ModelWeights.Of(model), (name, zeros(2, 2))]);
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => ModelWeights.Load(model, Weights)).Message, "gated MLP (SwiGLU)");
    }

    [TestMethod]
    [DataRow("dist_token")]
    [DataRow("deit.embeddings.distillation_token")]
    public void ASecondClassTokenIsRefusedByName(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new VisionTransformer(s_config);
        SafeTensors.Save(Weights, [.. ModelWeights.Of(model).Where(w => w.Name != "pos_embed"), ("pos_embed", zeros(1, 18, 16)), (name, zeros(1, 1, 16))]);
        StringAssert.Contains(Assert.ThrowsExactly<InvalidDataException>(() => ModelWeights.Load(model, Weights)).Message, $"holds '{name}', a second class token");
    }

    [TestMethod]
    [DataRow("vit")]
    [DataRow("dinov2_with_registers")]
    public void AFrozenTeacherMayBeAFolderOfTransformers(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        Unpack(name);
        MaePretrainOptions options = TinyModels.Options with { Objective = Objective.DistilledFeatures(_folder) with { TeacherBlocks = [1] }, Epochs = 1 };
        using ImageStore images = TinyModels.Images(8);
        using MaskedAutoencoder model = MaePretraining.Run(images, options).Model;
        using FrozenTeacher teacher = FrozenTeacher.Load(_folder, null, 1, options, CPU);
        Tensor pixels = randn(2, 3, 16, 16);
        PatchMask mask = PatchMask.FromNoise(rand(2, 16), 0.75);
        Tensor features = teacher.Features(pixels, mask, [1])[0];
        Assert.AreEqual(4 + teacher.Model.Config.PrefixTokens, features.size(1));
        if (name != "vit") return;   // the other is for a larger grid
        using ImageEncoder encoder = ImageEncoder.Load(_folder);
        Close.To(encoder.Model.Streams(encoder.Model.CutIntoPatches(pixels), mask.Visible).ElementAt(1), features, 1e-5, "features");
    }

    [TestMethod]
    public void AFrozenTeacherMayBeAFolderWithNothingButWeights()
    {
        using DisposeScope scope = NewDisposeScope();
        Unpack("timm");
        using FrozenTeacher teacher = FrozenTeacher.Load(_folder, s_config, 1, TinyModels.Options, CPU);
        Assert.AreEqual(s_config.EmbedDim, teacher.Model.Config.EmbedDim);
        System.IO.File.Delete(Weights);
        StringAssert.Contains(Assert.ThrowsExactly<FileNotFoundException>(() => FrozenTeacher.Load(_folder, s_config, 1, TinyModels.Options, CPU)).Message, _folder);
    }

    private static void Compare(string name, VisionTransformer encoder) =>
        Close.To(File.Read($"{name}/tokens"), encoder.forward(File.Read($"{name}/images")), 1e-5, name);

    /// <summary>Writes a model of the golden file as it is published.</summary>
    private void Unpack(string name)
    {
        string prefix = $"{name}/weights/";
        SafeTensors.Save(Weights, File.Names.Where(n => n.StartsWith(prefix, StringComparison.Ordinal)).Select(n => (n[prefix.Length..], File.Read(n))));
        if (JsonDocument.Parse(File.Metadata[name]).RootElement.TryGetProperty("model_type", out _))
            System.IO.File.WriteAllText(Path.Combine(_folder, "config.json"), File.Metadata[name]);
    }
}
