using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>A picture to judge a masked autoencoder by: a row for each image with the original, what the encoder saw, and the reconstruction.</summary>
public static class ReconstructionGrid
{
    private const int Gap = 4;

    /// <summary>Draws the picture. Visible patches of the reconstruction are the original's, hidden ones the prediction.</summary>
    /// <param name="model">The autoencoder.</param>
    /// <param name="images">Where the images are.</param>
    /// <param name="indices">Which of them.</param>
    /// <param name="options">The options it was pretrained with.</param>
    /// <param name="scale">How many pixels a pixel becomes. Default 2.</param>
    /// <param name="device">Where the model is; null is the CPU.</param>
    /// <returns>The picture, 4 bytes a pixel: red, green, blue, alpha.</returns>
    public static (int Width, int Height, byte[] Rgba) Draw(
        MaskedAutoencoder model, ImageStore images, ReadOnlySpan<long> indices, MaePretrainOptions options, int scale = 2, Device? device = null)
    {
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var normalizer = new ImageNormalizer(options.Preprocessing, device ?? CPU);
        using var random = new RandomStream(options.Seed ?? 0);
        VisionTransformerConfig config = model.Config;

        Tensor original = normalizer.Normalize(images.Batch(indices));
        PatchMask mask = options.Masking.Draw(indices.Length, config.GridHeight, config.GridWidth, random.At(RandomUse.Mask, -1)).To(device ?? CPU);
        Reconstruction reconstruction = model.forward(original, mask);
        Tensor predicted = options.Objective is PixelObjective pixel ? pixel.ToPixels(reconstruction) : reconstruction.Prediction;
        Tensor hidden = mask.Hidden().unsqueeze(-1);
        Tensor seen = reconstruction.Patches * (1 - hidden);   // 0 is the mean colour
        Tensor completed = seen + predicted * hidden;

        Tensor[] columns = [original, Patches.ToImages(seen, config), Patches.ToImages(completed, config)];
        byte[][] bytes = [.. columns.Select(c => normalizer.ToBytes(c).data<byte>().ToArray())];
        return Compose(bytes, indices.Length, config.ImageHeight, config.ImageWidth, config.Channels, scale);
    }

    private static (int Width, int Height, byte[] Rgba) Compose(byte[][] columns, int rows, int height, int width, int channels, int scale)
    {
        int cellWidth = width * scale + Gap, cellHeight = height * scale + Gap;
        int totalWidth = columns.Length * cellWidth + Gap, totalHeight = rows * cellHeight + Gap;
        var rgba = new byte[totalWidth * totalHeight * 4];
        Array.Fill(rgba, (byte)255);
        for (int column = 0; column < columns.Length; column++)
        for (int row = 0; row < rows; row++)
        for (int y = 0; y < height * scale; y++)
        for (int x = 0; x < width * scale; x++)
        {
            ReadOnlySpan<byte> from = columns[column].AsSpan(((row * height + y / scale) * width + x / scale) * channels, channels);
            Span<byte> to = rgba.AsSpan(((row * cellHeight + Gap + y) * totalWidth + column * cellWidth + Gap + x) * 4, 3);
            if (channels >= 3) from[..3].CopyTo(to);
            else to.Fill(from[0]);
        }
        return (totalWidth, totalHeight, rgba);
    }
}
