using Smae.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Export.Tests;

/// <summary>Models small enough for a test, with weights that leave no part of them without effect.</summary>
internal static class TinyModels
{
    public static VisionTransformerConfig Config { get; } = new()
    {
        ImageHeight = 16, ImageWidth = 24, PatchSize = 4, EmbedDim = 32, Depth = 2, NumHeads = 2, MlpRatio = 2,
        DefaultDecoder = new DecoderConfig { EmbedDim = 16, Depth = 2, NumHeads = 2, MlpRatio = 2 },
    };

    public static string[] ClassNames { get; } = ["a \"quoted\" name", "grün", "c,d"];

    public static ImageEncoder Encoder(VisionTransformerConfig? config = null, Pooling pooling = Pooling.Mean, int seed = 1)
    {
        var model = new VisionTransformer(config ?? Config, seed);
        Stir(ModelWeights.Of(model), seed);
        return new ImageEncoder(model, Preprocessing(model.Config), pooling);
    }

    public static ImageClassifier Classifier(VisionTransformerConfig? config = null, Pooling pooling = Pooling.Mean, bool batchNorm = false)
    {
        var model = new VisionTransformerClassifier(config ?? Config, ClassNames.Length, pooling, batchNorm, seed: 1);
        Stir(model.Weights, 1);
        return new ImageClassifier(model, Preprocessing(model.Config), ClassNames);
    }

    public static MaskedAutoencoder Autoencoder(
        VisionTransformerConfig? config = null, DecoderConfig? decoder = null, DecoderTarget target = DecoderTarget.Pixels)
    {
        var model = new MaskedAutoencoder(config ?? Config, decoder, seed: 1, target);
        Stir(ModelWeights.Of(model), 1);
        model.eval();
        return model;
    }

    /// <summary>SqueezeNet's smallest images are larger than the others'; its height and width differ, and its pooling reaches over an edge.</summary>
    public static ImagePreprocessing SqueezeNetPreprocessing(int channels = 3) =>
        Preprocessing(Config with { ImageHeight = 32, ImageWidth = 44, Channels = channels });

    public static SqueezeNet SqueezeNet(int channels = 3)
    {
        var model = new SqueezeNet(ClassNames.Length, channels, seed: 1);
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        // As they are drawn, biases are 0 and the classifier's numbers so small that all classes are as likely.
        foreach ((string name, Tensor tensor) in model.Weights)
            if (tensor.dim() == 1) tensor.add_(tensor.numel() == ClassNames.Length ? 1 : 0.1);
            else if (name.StartsWith("classifier", StringComparison.Ordinal)) tensor.mul_(20);
        model.eval();
        return model;
    }

    public static ImagePreprocessing Preprocessing(VisionTransformerConfig config) => new()
    {
        Height = config.ImageHeight, Width = config.ImageWidth, Channels = config.Channels, Resize = ResizeMode.Pad,
        Mean = [.. Enumerable.Range(0, config.Channels).Select(c => 0.3f + 0.1f * c)],
        StandardDeviation = [.. Enumerable.Range(0, config.Channels).Select(c => 0.2f + 0.05f * c)],
    };

    public static ImageStore Images(VisionTransformerConfig config, int count, int seed = 1) => Images(Preprocessing(config), count, seed);

    public static ImageStore Images(ImagePreprocessing size, int count, int seed = 1)
    {
        var random = new Random(seed);
        var store = new ImageStore(size.Height, size.Width, size.Channels);
        for (int i = 0; i < count; i++)
        {
            Span<byte> pixels = store.Add();
            int low = random.Next(128);
            for (int p = 0; p < pixels.Length; p++) pixels[p] = (byte)(low + random.Next(128));
        }
        return store;
    }

    public static byte[] Bytes(ImageStore images) => [.. Enumerable.Range(0, (int)images.Count).SelectMany(i => images[i].ToArray())];

    /// <summary>New norms are 1 and 0, new biases 0, a new head next to 0: an export that forgot one of them would not be noticed.</summary>
    private static void Stir(IEnumerable<(string Name, Tensor Tensor)> weights, int seed)
    {
        using var generator = new Generator((ulong)seed);
        using var noGrad = no_grad();
        foreach ((string name, Tensor tensor) in weights)
        {
            if (tensor.dtype != ScalarType.Float32) continue;
            if (name.EndsWith("running_var", StringComparison.Ordinal)) tensor.uniform_(0.5, 2, generator);
            else if (name.Contains("norm") && name.EndsWith("weight", StringComparison.Ordinal)) tensor.uniform_(0.5, 1.5, generator);
            else if (tensor.dim() < 2 || name.Contains("token") || name.StartsWith("head", StringComparison.Ordinal))
                tensor.normal_(0, 0.3, generator);
        }
    }
}
