using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// A picture of what an encoder looks at: a row for each image with the image and, for each head of the last block, how much the class token attends to
/// each patch, as in DINO (Caron et al. 2021). Black is nothing, over red and yellow to white for the patch that the head looks at most.
/// </summary>
public static class AttentionMaps
{
    /// <summary>Draws the picture.</summary>
    /// <param name="encoder">The encoder; it has a class token.</param>
    /// <param name="images">Where the images are.</param>
    /// <param name="indices">Which of them.</param>
    /// <param name="scale">How many pixels a pixel becomes. Default 2.</param>
    /// <returns>The picture, 4 bytes a pixel: red, green, blue, alpha.</returns>
    /// <exception cref="InvalidOperationException">The encoder has no class token.</exception>
    /// <exception cref="ArgumentException">The images are not of the encoder's size.</exception>
    public static (int Width, int Height, byte[] Rgba) Draw(ImageEncoder encoder, ImageStore images, ReadOnlySpan<long> indices, int scale = 2)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentNullException.ThrowIfNull(images);
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        VisionTransformerConfig config = encoder.Model.Config;
        Device device = encoder.Model.parameters().First().device;
        using var normalizer = new ImageNormalizer(encoder.Preprocessing, device);

        int count = indices.Length;
        Tensor bytes = images.Batch(indices);
        Tensor attention = encoder.Model.ClassTokenAttention(normalizer.Normalize(bytes)).cpu();
        byte[] originals = ToRgb(bytes.data<byte>().ToArray(), config.Channels);
        byte[][] columns = [originals, .. Enumerable.Range(0, config.NumHeads).Select(head =>
            Paint(originals, attention.select(1, head).contiguous().data<float>().ToArray(), count, config))];
        return PictureGrid.Compose(columns, count, config.ImageHeight, config.ImageWidth, 3, scale);
    }

    /// <summary>Draws the picture and saves it as PNG.</summary>
    /// <param name="path">The file.</param>
    /// <param name="encoder">The encoder; it has a class token.</param>
    /// <param name="images">Where the images are.</param>
    /// <param name="indices">Which of them.</param>
    /// <param name="scale">How many pixels a pixel becomes. Default 2.</param>
    /// <exception cref="InvalidOperationException">The encoder has no class token.</exception>
    /// <exception cref="ArgumentException">The images are not of the encoder's size.</exception>
    /// <exception cref="IOException">The file cannot be written; one that was there before is untouched.</exception>
    public static void Save(string path, ImageEncoder encoder, ImageStore images, ReadOnlySpan<long> indices, int scale = 2)
    {
        (int width, int height, byte[] rgba) = Draw(encoder, images, indices, scale);
        PngWriter.Save(path, width, height, rgba);
    }

    private static byte[] ToRgb(byte[] pixels, int channels) => channels == 3
        ? pixels
        : [.. pixels.Chunk(channels).SelectMany(p => channels > 3 ? p[..3] : [p[0], p[0], p[0]])];

    /// <summary>One head's attention in colour over the images in grey.</summary>
    private static byte[] Paint(byte[] originals, float[] attention, int count, VisionTransformerConfig config)
    {
        var painted = new byte[originals.Length];
        for (int image = 0; image < count; image++)
        {
            ReadOnlySpan<float> map = attention.AsSpan(image * config.PatchCount, config.PatchCount);
            float most = 0;
            foreach (float weight in map) most = Math.Max(most, weight);
            for (int y = 0; y < config.ImageHeight; y++)
            for (int x = 0; x < config.ImageWidth; x++)
            {
                float heat = most > 0 ? map[y / config.PatchSize * config.GridWidth + x / config.PatchSize] / most : 0;
                int at = ((image * config.ImageHeight + y) * config.ImageWidth + x) * 3;
                float grey = (originals[at] + originals[at + 1] + originals[at + 2]) / 3f;
                for (int c = 0; c < 3; c++) painted[at + c] = (byte)MathF.Round(0.35f * grey + 0.65f * 255 * Math.Clamp(3 * heat - c, 0, 1));
            }
        }
        return painted;
    }
}
