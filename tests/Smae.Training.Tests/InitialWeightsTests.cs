using Smae.Tests;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>Pretraining that begins from weights: what comes from the file, what does not, and what is refused before an image is looked at.</summary>
[TestClass]
public sealed class InitialWeightsTests : IDisposable
{
    private static readonly VisionTransformerConfig s_learned = TinyModels.Encoder with { Positions = PositionEncoding.Learned };
    private readonly string _folder = Directory.CreateTempSubdirectory("smae-initial-").FullName;
    private readonly List<string> _log = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string At(string name) => Path.Combine(_folder, name);

    /// <summary>With next to no learning rate a run ends where it began: in the encoder, in an average and in a teacher that follows.</summary>
    [TestMethod]
    [DynamicData(nameof(EveryMethod.Rows), typeof(EveryMethod))]
    public void EveryMethodBeginsFromThem(string method)
    {
        using DisposeScope scope = NewDisposeScope();
        using ImageStore images = TinyModels.Images(8);
        MaePretrainOptions options = EveryMethod.Options(method, TinyModels.Options with
        {
            Masking = Masking.Random(0.75), LearningRate = 1e-20, WeightDecay = 0, WeightAverageDecay = method is "DINO" or "iBOT" ? null : 0.5,
            Epochs = 1, InitialWeights = At("encoder.safetensors"),
            Checkpoints = new CheckpointOptions { Directory = At("checkpoints") },
        }, _folder);
        using (ImageEncoder source = ImageEncoder.Create(options.Encoder, seed: 77)) source.Save(options.InitialWeights!);
        SafeTensorsFile expected = SafeTensors.Open(options.InitialWeights!);
        using MaskedAutoencoder model = MaePretraining.Run(images, options, log: _log.Add).Model;
        SafeTensorsFile checkpoint = SafeTensors.Open(Directory.GetFiles(At("checkpoints"), "*.safetensors").Single());
        foreach ((string name, Tensor tensor) in ModelWeights.Of(model.Encoder))
        {
            Close.Within(expected.Read(name), tensor, 1e-7, name);
            if (checkpoint.Contains($"objective.teacher.{name}"))
                Close.Within(expected.Read(name), checkpoint.Read($"objective.teacher.{name}"), 1e-7, $"teacher, {name}");
        }
        Assert.AreEqual(method is "SdAE" or "DINO" or "data2vec" or "BootMAE" or "iBOT", checkpoint.Contains("objective.teacher.norm.weight"));
        StringAssert.StartsWith(_log[0], $"Beginning from {options.InitialWeights}: ");
    }

    [TestMethod]
    public void TheLogSaysWhatCameFromTheFile()
    {
        using DisposeScope scope = NewDisposeScope();
        using ImageEncoder source = ImageEncoder.Create(s_learned.ForImages(24) with { FinalNorm = false }, seed: 3);
        source.Save(At("w.safetensors"));
        (string, Tensor)[] heads = [.. Enumerable.Range(0, 9).Select(i => ($"module.projector.{i}.weight", zeros(2)))];
        SafeTensors.Save(
            At("w.safetensors"), [.. ModelWeights.Of(source.Model).Select(w => ($"module.{w.Name}", w.Tensor)), ("module.head.weight", zeros(2, 32)), .. heads]);
        Run(TinyModels.Options with { Encoder = s_learned with { Channels = 4, PatchSize = 2 }, InitialWeights = At("w.safetensors"), Epochs = 1 });
        string[] lines = _log[0].Split('\n');
        Assert.IsLessThanOrEqualTo(10, lines.Length);
        Assert.AreEqual($"Beginning from {At("w.safetensors")}: 28 of the encoder's 30 tensors; the decoder is random, since the file has none.", lines[0]);
        Assert.AreEqual("  Made to fit: positions resized from 6x6 to 8x8 patches; the patch embedding made for 4 channels in 2x2 of 3 channels in 4x4.", lines[1]);
        Assert.AreEqual("  Not in the file, left at random: norm.weight, norm.bias.", lines[2]);
        Assert.AreEqual("  In the file, not used: head.weight, projector.0.weight, projector.1.weight, projector.2.weight, projector.3.weight, "
            + "projector.4.weight and 4 more.", lines[3]);
        Assert.HasCount(4, lines);   // nothing of the normalisation, since three channels are not comparable with four
    }

    [TestMethod]
    public void AnotherNormalisationIsSaid()
    {
        using (ImageEncoder source = ImageEncoder.Create(TinyModels.Encoder)) source.Save(At("w.safetensors"));
        File.WriteAllText(At("w.json"), File.ReadAllText(At("w.json")).Replace("0.485", "0.25"));
        Run(TinyModels.Options with { InitialWeights = At("w.safetensors"), Epochs = 1 });
        StringAssert.Contains(_log[0], "normalised by Mean [0.25, 0.456, 0.406]");
    }

    [TestMethod]
    public void ADecoderIsTakenIfAllOfItFits()
    {
        using DisposeScope scope = NewDisposeScope();
        using var whole = new MaskedAutoencoder(TinyModels.Encoder, seed: 3);
        SafeTensors.Save(At("mae.safetensors"), ModelWeights.Of(whole));
        var preprocessing = new ImagePreprocessing { Height = 16, Width = 16 };
        using var same = new MaskedAutoencoder(TinyModels.Encoder, seed: 4);
        StringAssert.Contains(StartingWeights.Load(same, At("mae.safetensors"), preprocessing), "; the decoder too.");
        foreach ((string name, Tensor tensor) in ModelWeights.Of(same)) Assert.IsTrue(tensor.Equals(ModelWeights.Of(whole).Single(w => w.Name == name).Tensor), name);

        DecoderConfig wider = TinyModels.Encoder.DefaultDecoder with { EmbedDim = 24 };
        using var other = new MaskedAutoencoder(TinyModels.Encoder, wider, seed: 4);
        using var untouched = new MaskedAutoencoder(TinyModels.Encoder, wider, seed: 4);
        string report = StartingWeights.Load(other, At("mae.safetensors"), preprocessing);
        StringAssert.Contains(report, "the decoder is random, since the file's is another ('mask_token' has the shape [1, 1, 16], expected [1, 1, 24]).");
        foreach ((string name, Tensor tensor) in ModelWeights.Of(other).Where(w => w.Name.StartsWith("decoder") || w.Name == "mask_token"))
            Assert.IsTrue(tensor.Equals(ModelWeights.Of(untouched).Single(w => w.Name == name).Tensor), name);

        using var none = new MaskedAutoencoder(TinyModels.Encoder, target: DecoderTarget.None);
        StringAssert.Contains(StartingWeights.Load(none, At("mae.safetensors"), preprocessing), "In the file, not used: ");
        Assert.IsTrue(none.Encoder.forward(ones(1, 3, 16, 16)).Equals(whole.Encoder.forward(ones(1, 3, 16, 16))));
    }

    [TestMethod]
    public void AFixedTableIsTheModelsOwnWhateverTheFileHas()
    {
        using DisposeScope scope = NewDisposeScope();
        using (ImageEncoder source = ImageEncoder.Create(s_learned.ForImages(24), seed: 3)) source.Save(At("w.safetensors"));
        using var model = new MaskedAutoencoder(TinyModels.Encoder, seed: 4);
        Tensor before = ModelWeights.Of(model.Encoder).Single(w => w.Name == "pos_embed").Tensor.clone();
        StartingWeights.Load(model, At("w.safetensors"), new ImagePreprocessing { Height = 16, Width = 16 });
        Assert.IsTrue(before.Equals(ModelWeights.Of(model.Encoder).Single(w => w.Name == "pos_embed").Tensor));
    }

    /// <summary>The content counts, not the path.</summary>
    [TestMethod]
    public void ARunGoesOnFromTheSameWeightsOnly()
    {
        MaePretrainOptions options = TinyModels.Options with { Epochs = 1, Checkpoints = new CheckpointOptions { Directory = At("checkpoints") } };
        foreach ((string name, int seed) in ((string, int)[])[("a", 1), ("b", 1), ("c", 2)])
            using (ImageEncoder source = ImageEncoder.Create(TinyModels.Encoder, seed)) source.Save(At($"{name}.safetensors"));
        bool GoesOn(string? name)
        {
            _log.Clear();
            Run(options with { InitialWeights = name is null ? null : At($"{name}.safetensors") });
            return _log.Any(l => l.StartsWith("Going on from"));
        }
        Assert.IsFalse(GoesOn("a"));
        Assert.IsTrue(GoesOn("b"));
        Assert.IsFalse(GoesOn("c"));
        Assert.IsFalse(GoesOn(null));
    }

    [TestMethod]
    public void WhatDoesNotFitIsNamedBeforeAnImageIsLookedAt()
    {
        using DisposeScope scope = NewDisposeScope();
        string path = At("w.safetensors"), bare = At("bare.safetensors"), wide = At("wide.safetensors"), torn = At("torn.safetensors"), python = At("model.pth");
        using (ImageEncoder source = ImageEncoder.Create(TinyModels.Encoder with { Depth = 3, RegisterTokens = 2, LayerScale = 1 })) source.Save(path);
        using var plain = new VisionTransformer(s_learned);
        SafeTensors.Save(bare, ModelWeights.Of(plain));
        SafeTensors.Save(torn, [.. ModelWeights.Of(plain).Where(w => w.Name != "blocks.1.attn.proj.bias"), ("blocks.0.attn.q_norm.weight", zeros(2))]);
        SafeTensors.Save(At("other.safetensors"), [("conv1.weight", zeros(2))]);
        using var two = new VisionTransformer(s_learned with { Channels = 2 });
        SafeTensors.Save(wide, ModelWeights.Of(two));
        File.WriteAllBytes(python, [(byte)'P', (byte)'K', 3, 4, 0, 0, 0, 0, 0, 0]);
        MaePretrainOptions options = TinyModels.Options with { Encoder = s_learned };
        (MaePretrainOptions Options, string[] Expected)[] wrong =
        [
            (options with { InitialWeights = At("none.safetensors") }, ["none.safetensors is not there"]),
            (options with { InitialWeights = " " }, ["InitialWeights is empty"]),
            (options with { InitialWeights = Directory.CreateDirectory(At("empty")).FullName }, ["holds no model.safetensors"]),
            (options with { InitialWeights = python }, ["import torch, safetensors.torch"]),
            (options with { InitialWeights = At("other.safetensors") }, ["holds no vision transformer", "'conv1.weight'"]),
            (options with { InitialWeights = path, Encoder = s_learned with { NumHeads = 4, Activation = Activation.Relu } },
                ["Encoder.Depth is 2: expected 3", "Encoder.RegisterTokens is 0: expected 2", "Encoder.LayerScale is null: expected 1",
                    "Encoder.NumHeads is 4: expected 2",
                    "Encoder.Activation is Relu: expected Gelu"]),
            (options with { InitialWeights = bare, Encoder = s_learned with { EmbedDim = 64, MlpRatio = 3 } }, ["Encoder.EmbedDim is 64: expected 32"]),
            (options with { InitialWeights = bare, Encoder = s_learned with { MlpRatio = 3 } }, ["Encoder.MlpRatio is 3: expected 2"]),
            (options with { InitialWeights = bare, Encoder = s_learned with { LayerScale = 1e-5 } }, ["Encoder.LayerScale is 1E-05: expected null"]),
            (options with { InitialWeights = bare, Encoder = s_learned.ForImages(32) }, ["16 patches may be 4x4 or 2x8, so pass sourceGrid"]),
            (options with { InitialWeights = wide }, ["Encoder.Channels is 3: expected 2"]),
            (options with { InitialWeights = torn }, ["'blocks.1.attn.proj.bias' is missing", "'blocks.0.attn.q_norm.weight' is not part of this model"]),
        ];
        foreach ((MaePretrainOptions given, string[] expected) in wrong)
        {
            string message = Assert.ThrowsExactly<ArgumentException>(given.Validate).Message;
            foreach (string part in expected) StringAssert.Contains(message, part);
        }
        (options with { InitialWeights = bare }).Validate();
        (options with { InitialWeights = bare, Encoder = s_learned with { Channels = 1 } }).Validate();
    }

    private void Run(MaePretrainOptions options)
    {
        VisionTransformerConfig encoder = options.Encoder;
        using ImageStore images = TinyModels.Images(8, encoder.ImageHeight, encoder.ImageWidth, encoder.Channels);
        MaePretrainOptions complete = encoder.Channels == 3 ? options : options with
        {
            Mean = [.. Enumerable.Repeat(0.5f, encoder.Channels)], StandardDeviation = [.. Enumerable.Repeat(0.5f, encoder.Channels)],
        };
        MaePretraining.Run(images, complete, log: _log.Add).Model.Dispose();
    }
}
