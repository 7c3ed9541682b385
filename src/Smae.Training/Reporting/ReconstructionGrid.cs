using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>A picture to judge a masked autoencoder by: a row for each image with the original, what the encoder saw, and the reconstruction.</summary>
public static class ReconstructionGrid
{
    /// <summary>Draws the picture. Visible patches of the reconstruction are the original's, hidden ones the prediction.</summary>
    /// <param name="model">The autoencoder.</param>
    /// <param name="images">Where the images are.</param>
    /// <param name="indices">Which of them.</param>
    /// <param name="options">The options it was pretrained with.</param>
    /// <param name="scale">How many pixels a pixel becomes. Default 2.</param>
    /// <param name="device">Where the model is; null is the CPU.</param>
    /// <returns>The picture, 4 bytes a pixel: red, green, blue, alpha.</returns>
    /// <exception cref="ArgumentException">The model's decoder predicts no pixels.</exception>
    public static (int Width, int Height, byte[] Rgba) Draw(
        MaskedAutoencoder model, ImageStore images, ReadOnlySpan<long> indices, MaePretrainOptions options, int scale = 2, Device? device = null)
    {
        if (model.PictureFault is { } unfit) throw new ArgumentException(unfit, nameof(model));
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var normalizer = new ImageNormalizer(options.Preprocessing, device ?? CPU);
        using var random = new RandomStream(options.Seed ?? 0);
        VisionTransformerConfig config = model.Config;

        Tensor original = normalizer.Normalize(images.Batch(indices));
        PatchMask mask = options.Masking.Draw(indices.Length, config.GridHeight, config.GridWidth, random.At(RandomUse.Mask, -1)).To(device ?? CPU);
        (Tensor seen, Tensor completed) = Complete(model, original, mask, options.Objective);

        Tensor[] columns = [original, seen, completed];
        byte[][] bytes = [.. columns.Select(c => normalizer.ToBytes(c).data<byte>().ToArray())];
        return PictureGrid.Compose(bytes, indices.Length, config.ImageHeight, config.ImageWidth, config.Channels, scale);
    }

    /// <summary>What the autoencoder sees of images and what it makes of that.</summary>
    /// <param name="model">The autoencoder.</param>
    /// <param name="images">Normalised images, <c>[batch, channels, height, width]</c>.</param>
    /// <param name="mask">Which patches are hidden.</param>
    /// <param name="objective">What it was pretrained for, which says what its predictions are.</param>
    /// <returns>
    /// The images with hidden patches in the mean colour, and the images with hidden patches as predicted; both normalised,
    /// <c>[batch, channels, height, width]</c>.
    /// </returns>
    public static (Tensor Seen, Tensor Completed) Complete(MaskedAutoencoder model, Tensor images, PatchMask mask, Objective objective)
    {
        Reconstruction reconstruction = model.forward(images, mask);
        Tensor predicted = objective.ToPixels(reconstruction);
        Tensor hidden = mask.Hidden().unsqueeze(-1);
        Tensor seen = reconstruction.Patches * (1 - hidden);   // 0 is the mean colour
        return (Patches.ToImages(seen, model.Config), Patches.ToImages(seen + predicted * hidden, model.Config));
    }

    /// <summary>Draws the picture and saves it as PNG.</summary>
    /// <param name="path">The file.</param>
    /// <param name="model">The autoencoder.</param>
    /// <param name="images">Where the images are.</param>
    /// <param name="indices">Which of them.</param>
    /// <param name="options">The options it was pretrained with.</param>
    /// <param name="scale">How many pixels a pixel becomes. Default 2.</param>
    /// <param name="device">Where the model is; null is the CPU.</param>
    /// <exception cref="ArgumentException">The model's decoder predicts no pixels.</exception>
    /// <exception cref="IOException">The file cannot be written; one that was there before is untouched.</exception>
    public static void Save(
        string path, MaskedAutoencoder model, ImageStore images, ReadOnlySpan<long> indices, MaePretrainOptions options, int scale = 2,
        Device? device = null)
    {
        (int width, int height, byte[] rgba) = Draw(model, images, indices, options, scale, device);
        PngWriter.Save(path, width, height, rgba);
    }
}
