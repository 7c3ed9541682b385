using Smae.Training;

namespace Smae.MLNet.Tests;

/// <summary>Models so small that a test takes a moment.</summary>
public static class TestModels
{
    public const int Size = 16;
    public const int Width = 8;

    public static VisionTransformerConfig Config { get; } = new()
    {
        ImageHeight = Size, ImageWidth = Size, PatchSize = 4, EmbedDim = Width, Depth = 1, NumHeads = 2,
    };

    public static MaePretrainOptions Options { get; } = new()
    {
        Encoder = Config, Decoder = new DecoderConfig { EmbedDim = 8, Depth = 1, NumHeads = 2 }, Epochs = 2, BatchSize = 8,
    };

    public static ImageEncoder Encoder(int seed = 1) => ImageEncoder.Create(Config, seed);

    public static ImagePreprocessing Preprocessing { get; } = new() { Height = Size, Width = Size };
}
