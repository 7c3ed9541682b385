namespace Smae.Training.Tests;

/// <summary>Models and images small enough for a test.</summary>
internal static class TinyModels
{
    public static VisionTransformerConfig Encoder { get; } = new()
    {
        ImageHeight = 16, ImageWidth = 16, PatchSize = 4, EmbedDim = 32, Depth = 2, NumHeads = 2, MlpRatio = 2,
        DefaultDecoder = new DecoderConfig { EmbedDim = 16, Depth = 1, NumHeads = 2, MlpRatio = 2 },
    };

    public static MaePretrainOptions Options { get; } = new()
    {
        Encoder = Encoder, Epochs = 2, BatchSize = 8, LearningRate = 1e-3, WarmupEpochs = 0.5, Seed = 3,
    };

    /// <summary>Images of a gradient with a bright square somewhere.</summary>
    public static ImageStore Images(int count, int height = 16, int width = 16, int channels = 3, int seed = 1)
    {
        var random = new Random(seed);
        var store = new ImageStore(height, width, channels);
        for (int i = 0; i < count; i++)
        {
            int x0 = random.Next(width - 4), y0 = random.Next(height - 4), tint = random.Next(100);
            Span<byte> pixels = store.Add();
            for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++)
                pixels[(y * width + x) * channels + c] = (byte)(x >= x0 && x < x0 + 4 && y >= y0 && y < y0 + 4 ? 230 : tint + 4 * x + 3 * c);
        }
        return store;
    }
}
