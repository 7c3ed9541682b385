using Smae.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Export.Tests;

/// <summary>Whole autoencoders: images and masks in, reconstructions out.</summary>
[TestClass]
public sealed class AutoencoderExportTests : IDisposable
{
    private static readonly VisionTransformerConfig s_config = TinyModels.Config;
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static IEnumerable<object[]> Shapes()
    {
        VisionTransformerConfig c = s_config;
        DecoderConfig d = c.DefaultDecoder;
        (string Name, VisionTransformerConfig Encoder, DecoderConfig Decoder)[] shapes =
        [
            ("as MAE", c, d),
            ("as SMAE", VisionTransformerConfig.VitLite7_4.ForImages(16) with { EmbedDim = 32, Depth = 2 }, DecoderConfig.Smae),
            ("class token dropped", c, d with { KeepClassToken = false }), ("class token last", c with { ClassToken = ClassToken.Last }, d),
            ("no class token", c with { ClassToken = ClassToken.None }, d),
            ("learned positions", c with { Positions = PositionEncoding.Learned }, d with { Positions = PositionEncoding.Learned }),
            ("registers, layer scale", c with { RegisterTokens = 2, LayerScale = 0.5 }, d with { LayerScale = 0.5 }),
            ("registers, class token dropped", c with { RegisterTokens = 2 }, d with { KeepClassToken = false }),
            ("no norms", c with { FinalNorm = false }, d with { FinalNorm = false }), ("two channels", c with { Channels = 2 }, d),
        ];
        foreach (OnnxFlavor flavor in Enum.GetValues<OnnxFlavor>())
            foreach ((string name, VisionTransformerConfig encoder, DecoderConfig decoder) in shapes) yield return [name, flavor, encoder, decoder];
    }

    [TestMethod]
    [DynamicData(nameof(Shapes))]
    public void EveryShapeAgrees(string name, OnnxFlavor flavor, VisionTransformerConfig encoder, DecoderConfig decoder)
    {
        using MaskedAutoencoder model = TinyModels.Autoencoder(encoder, decoder);
        foreach (bool normalized in (bool[])[true, false])
        {
            OnnxProof proof = model.ExportOnnx(
                _folder.At("autoencoder.onnx"), Pretraining(model, normalized), new OnnxExportOptions { Flavor = flavor }).Proof;
            Assert.IsLessThan(2e-5, proof.RelativeDifference, $"{name}: {proof}");
        }
    }

    /// <summary>SimMIM's: hidden patches enter the encoder as mask tokens, and images may hide as many as they like.</summary>
    [TestMethod]
    [DataRow(ClassToken.First, OnnxFlavor.Portable, 2)]
    [DataRow(ClassToken.Last, OnnxFlavor.Fastest, 0)]
    [DataRow(ClassToken.None, OnnxFlavor.Portable, 0)]
    public void MaskTokensInTheEncoderAgree(ClassToken token, OnnxFlavor flavor, int registers)
    {
        VisionTransformerConfig config = s_config with { ClassToken = token, RegisterTokens = registers };
        using MaskedAutoencoder model = TinyModels.Autoencoder(config, target: DecoderTarget.LinearPixels);
        string path = _folder.At("autoencoder.onnx");
        OnnxProof proof = model.ExportOnnx(
            path, Pretraining(model, false) with { Objective = Objective.SimMim() }, new OnnxExportOptions { Flavor = flavor }).Proof;
        Assert.IsLessThan(2e-5, proof.RelativeDifference, $"{proof}");
        using ImageStore images = TinyModels.Images(config, 2);
        byte[] mask = [.. Enumerable.Range(0, 48).Select(i => (byte)(i % 24 < 5 || i < 12 ? 1 : 0))];
        float[] found = Onnx.Run(path, "reconstruction", 2, TinyModels.Bytes(images), mask);
        using DisposeScope scope = NewDisposeScope();
        for (int i = 0; i < 2; i++)
            Onnx.AssertClose(Reconstruct(model, images[i], [.. mask.Skip(i * 24).Take(24).Select(m => m != 0)]), found[(i * 1152)..((i + 1) * 1152)], 1e-5);
    }

    [TestMethod]
    [DataRow(DecoderTarget.None, "predicts nothing")]
    [DataRow(DecoderTarget.Features, "predicts features")]
    public void WhatPredictsNoPixelsIsRefused(DecoderTarget target, string why)
    {
        using MaskedAutoencoder model = TinyModels.Autoencoder(target: target);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => model.ExportOnnx(_folder.At("a.onnx"), Pretraining(model, false))).Message, why);
    }

    [TestMethod]
    [DataRow(OnnxPrecision.Float32, OnnxInput.PlanarBytes, 2e-5)]
    [DataRow(OnnxPrecision.Float32, OnnxInput.NormalizedPlanes, 2e-5)]
    [DataRow(OnnxPrecision.Float16, OnnxInput.Bytes, 5e-3)]
    [DataRow(OnnxPrecision.Int8, OnnxInput.Bytes, 0.1)]
    public void EveryInputAndPrecisionAgrees(OnnxPrecision precision, OnnxInput input, double tolerance)
    {
        using MaskedAutoencoder model = TinyModels.Autoencoder();
        OnnxProof proof = model.ExportOnnx(
            _folder.At("autoencoder.onnx"), Pretraining(model, false), new OnnxExportOptions { Precision = precision, Input = input }).Proof;
        Assert.IsLessThan(tolerance, proof.RelativeDifference, $"{proof}");
    }

    [TestMethod]
    [DataRow(ClassToken.First)]
    [DataRow(ClassToken.Last)]
    [DataRow(ClassToken.None)]
    public void ImagesMayHideDifferentNumbersOfPatches(ClassToken token)
    {
        using MaskedAutoencoder model = TinyModels.Autoencoder(s_config with { ClassToken = token });
        string path = _folder.At("autoencoder.onnx");
        model.ExportOnnx(path, Pretraining(model, false));
        const int count = 6, patches = 24;
        using ImageStore images = TinyModels.Images(s_config, count);
        byte[] bytes = TinyModels.Bytes(images), mask = new byte[count * patches];
        var random = new Random(3);
        for (int i = 0; i < mask.Length; i++) mask[i] = (byte)(random.NextDouble() < (1 + i / patches) / 8.0 ? 1 + random.Next(255) : 0);
        float[] found = Onnx.Run(path, "reconstruction", count, bytes, mask);
        int length = found.Length / count;
        using DisposeScope scope = NewDisposeScope();
        for (int i = 0; i < count; i++)
        {
            bool[] hidden = [.. mask.Skip(i * patches).Take(patches).Select(m => m != 0)];
            float[] expected = Reconstruct(model, images[i], hidden);
            Onnx.AssertClose(expected, found[(i * length)..((i + 1) * length)], 1e-5, $"image {i}, {hidden.Count(h => h)} hidden");
        }
    }

    [TestMethod]
    public void NoneOrAllPatchesMayBeHidden()
    {
        foreach (ClassToken token in Enum.GetValues<ClassToken>())
        {
            using MaskedAutoencoder model = TinyModels.Autoencoder(s_config with { ClassToken = token });
            string path = _folder.At("autoencoder.onnx");
            model.ExportOnnx(path, Pretraining(model, false));
            using ImageStore images = TinyModels.Images(s_config, 2);
            byte[] bytes = TinyModels.Bytes(images), mixed = new byte[48], all = new byte[24];
            Array.Fill(all, (byte)1);
            all.CopyTo(mixed, 24);
            float[] together = Onnx.Run(path, "reconstruction", 2, bytes, mixed);
            int length = together.Length / 2;
            Onnx.AssertClose(Onnx.Run(path, "reconstruction", 1, bytes[..(16 * 24 * 3)], new byte[24]), together[..length], 1e-5);
            Onnx.AssertClose(Onnx.Run(path, "reconstruction", 1, bytes[(16 * 24 * 3)..], all), together[length..], 1e-5);
            // With everything hidden the picture cannot depend on the image.
            if (token == ClassToken.None) continue;
            Onnx.AssertClose(Onnx.Run(path, "reconstruction", 1, bytes[..(16 * 24 * 3)], all), together[length..], 1e-5);
        }
    }

    [TestMethod]
    public void NormalizedPatchesGetMeanAndDeviationBackWhateverElseWasLearnt()
    {
        using MaskedAutoencoder model = TinyModels.Autoencoder();
        using ImageStore images = TinyModels.Images(s_config, 1);
        byte[] bytes = TinyModels.Bytes(images), mask = [.. Enumerable.Range(0, 24).Select(i => (byte)(i % 2))];
        float[] Pictures(Objective objective)
        {
            string path = _folder.At("autoencoder.onnx");
            model.ExportOnnx(path, Pretraining(model, true) with { Objective = objective });
            return Onnx.Run(path, "reconstruction", 1, bytes, mask);
        }
        float[] expected = Pictures(Objective.Pixel());
        CollectionAssert.AreEqual(expected, Pictures(Objective.LowPassPixel()));
        CollectionAssert.AreEqual(expected, Pictures(Objective.DistilledFeatures("teacher.safetensors") with { Pixels = Objective.Pixel() }));
        CollectionAssert.AreNotEqual(expected, Pictures(Objective.Pixel(normalizePatches: false)));
    }

    /// <summary>An objective that makes pixels of predictions in its own way: its file has that step, or there is none.</summary>
    [TestMethod]
    public void AStepOfOnesOwnIsExportedOrRefused()
    {
        using MaskedAutoencoder model = TinyModels.Autoencoder();
        string path = _folder.At("autoencoder.onnx");
        string message = Assert.ThrowsExactly<ArgumentException>(
            () => model.ExportOnnx(path, Pretraining(model, false) with { Objective = new Inverted() })).Message;
        foreach (string part in (string[])["Inverted.ToPixels", "PixelTarget", "Objective.Pixel(normalizePatches: false)"])
            StringAssert.Contains(message, part);
        Assert.ThrowsExactly<OnnxExportException>(
            () => model.ExportOnnx(path, Pretraining(model, false) with { Objective = new NamesAWrongTarget() }), "the proof left the step out");
        Assert.IsFalse(File.Exists(path));

        using ImageStore images = TinyModels.Images(s_config, 1);
        byte[] bytes = TinyModels.Bytes(images), mask = new byte[24];
        float[] Pictures(Objective objective)
        {
            model.ExportOnnx(path, Pretraining(model, false) with { Objective = objective });
            return Onnx.Run(path, "reconstruction", 1, bytes, mask);
        }
        CollectionAssert.AreEqual(Pictures(Objective.Pixel()), Pictures(new NormalizedOfOnesOwn()));
        CollectionAssert.AreEqual(Pictures(Objective.Pixel(normalizePatches: false)), Pictures(new Bare()));
    }

    [TestMethod]
    public void OptionsForAnotherSizeAreRefused()
    {
        using MaskedAutoencoder model = TinyModels.Autoencoder();
        MaePretrainOptions other = Pretraining(model, false) with { Encoder = s_config with { ImageHeight = 32 } };
        string message = Assert.ThrowsExactly<ArgumentException>(
            () => model.ExportOnnx(_folder.At("a.onnx"), other, new OnnxExportOptions { InputName = "mask" })).Message;
        StringAssert.Contains(message, "for 32x24x3: the autoencoder expects 16x24x3");
        StringAssert.Contains(message, "InputName is 'mask'");
    }

    /// <summary>A method of a user's own that leaves the making of pixels alone.</summary>
    private record Bare : Objective
    {
        public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) =>
            throw new NotSupportedException("Nothing is trained here.");
    }

    private record Inverted : Bare
    {
        public override Tensor ToPixels(Reconstruction reconstruction) => -reconstruction.Prediction;
    }

    private sealed record NamesAWrongTarget : Inverted
    {
        public override PixelObjective PixelTarget => Pixel(normalizePatches: false);
    }

    private sealed record NormalizedOfOnesOwn : Bare
    {
        public override PixelObjective PixelTarget => Pixel();

        public override Tensor ToPixels(Reconstruction reconstruction) => PixelTarget.ToPixels(reconstruction);
    }

    private static MaePretrainOptions Pretraining(MaskedAutoencoder model, bool normalized)
    {
        ImagePreprocessing preprocessing = TinyModels.Preprocessing(model.Config);
        return new MaePretrainOptions
        {
            Encoder = model.Config, Mean = preprocessing.Mean, StandardDeviation = preprocessing.StandardDeviation,
            Objective = new PixelObjective(normalized, HiddenOnly: true),
        };
    }

    /// <summary>The prediction of every patch in pixels, [height, width, channels], step by step in TorchSharp.</summary>
    private static float[] Reconstruct(MaskedAutoencoder model, ReadOnlySpan<byte> image, bool[] hidden)
    {
        using var noGrad = no_grad();
        ImagePreprocessing p = TinyModels.Preprocessing(model.Config);
        Tensor mean = tensor(p.Mean.ToArray()), deviation = tensor(p.StandardDeviation.ToArray());
        Tensor pixels = tensor(image.ToArray(), [1, p.Height, p.Width, p.Channels]).to_type(ScalarType.Float32).div(255);
        Tensor normalized = ((pixels - mean) / deviation).permute(0, 3, 1, 2);
        Tensor prediction = model.forward(normalized, PatchMask.FromFlags(hidden, hidden.Length)).Prediction;
        return ((Patches.ToImages(prediction, model.Config).permute(0, 2, 3, 1) * deviation + mean) * 255).contiguous().data<float>().ToArray();
    }
}
