using SkiaSharp;

namespace Smae.Training;

/// <summary>A picture to judge a masked autoencoder by: a row for each image with the original, what the encoder saw, and the reconstruction.</summary>
public static class ReconstructionGrid
{
    /// <summary>Draws the picture. Visible patches of the reconstruction are the original's, hidden ones the prediction.</summary>
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

        byte[][] columns = [.. new[] { original, seen, completed }.Select(c => normalizer.ToBytes(c).data<byte>().ToArray())];
        return PictureGrid.Compose(columns, indices.Length, config.ImageHeight, config.ImageWidth, config.Channels, scale);
    }

    /// <summary>What the autoencoder sees of images and what it makes of that.</summary>
    /// <param name="images">Normalised images, <c>[batch, channels, height, width]</c>.</param>
    /// <returns>The images with hidden patches in the mean colour, and with hidden patches as predicted; normalised and shaped as the images.</returns>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public static (Tensor Seen, Tensor Completed) Complete(MaskedAutoencoder model, Tensor images, PatchMask mask, Objective objective)
    {
        model.RequireWeight();
        Reconstruction reconstruction = model.forward(images, mask);
        Tensor predicted = objective.ToPixels(reconstruction);
        Tensor hidden = mask.Hidden().unsqueeze(-1);
        Tensor seen = reconstruction.Patches * hidden.SubtractedFrom(1);   // 0 is the mean colour
        return (Patches.ToImages(seen, model.Config), Patches.ToImages(seen.Plus(predicted * hidden), model.Config));
    }

    /// <summary>Draws the picture and saves it as PNG.</summary>
    /// <inheritdoc cref="Draw"/>
    /// <exception cref="IOException">The file cannot be written; one that was there before is untouched.</exception>
    public static void Save(
        string path, MaskedAutoencoder model, ImageStore images, ReadOnlySpan<long> indices, MaePretrainOptions options, int scale = 2,
        Device? device = null) => PngWriter.Save(path, Draw(model, images, indices, options, scale, device));
}

/// <summary>
/// A picture of what an encoder looks at (DINO, Caron et al. 2021): a row for each image with the image and, for each head of the last block, how much the
/// class token attends to each patch, from black (not at all) over red and yellow to white (most).
/// </summary>
public static class AttentionMaps
{
    /// <summary>Draws the picture.</summary>
    /// <param name="encoder">The encoder; it has a class token.</param>
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
        Device device = encoder.Model.RequireWeight().device;
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
    /// <inheritdoc cref="Draw"/>
    /// <exception cref="IOException">The file cannot be written; one that was there before is untouched.</exception>
    public static void Save(string path, ImageEncoder encoder, ImageStore images, ReadOnlySpan<long> indices, int scale = 2) =>
        PngWriter.Save(path, Draw(encoder, images, indices, scale));

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

/// <summary>A picture to judge an encoder by: a row for each image asked about with the image itself, then those whose embeddings are most like its own.</summary>
public static class NeighborGrid
{
    /// <summary>Draws the picture.</summary>
    /// <param name="images">The images to find neighbours among, of the size of the encoder.</param>
    /// <param name="indices">Those asked about; an image is no neighbour of its own.</param>
    /// <param name="neighbors">How many neighbours to show, by cosine similarity, the most similar first. Default 6; with fewer images than that, all of them.</param>
    /// <param name="scale">How many pixels a pixel becomes. Default 2.</param>
    /// <returns>The picture, 4 bytes a pixel: red, green, blue, alpha.</returns>
    /// <exception cref="ArgumentException">The images are of another size, there is only one, or none is asked about.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such image, or a number is not positive.</exception>
    public static (int Width, int Height, byte[] Rgba) Draw(
        ImageEncoder encoder, ImageStore images, ReadOnlySpan<long> indices, int neighbors = 6, int scale = 2)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentNullException.ThrowIfNull(images);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(neighbors);
        if (indices.Length == 0) throw new ArgumentException("No image is asked about.", nameof(indices));
        if (images.Count < 2) throw new ArgumentException($"There are {images.Count} images: expected at least two.", nameof(images));
        foreach (long index in indices)
            if (index < 0 || index >= images.Count)
                throw new ArgumentOutOfRangeException(nameof(indices), index, $"There are {images.Count} images.");
        ImagePreprocessing size = encoder.Preprocessing;
        var all = new LabelledImages(images, new int[images.Count]);
        all.CheckSize(size, nameof(images));

        using DisposeScope scope = NewDisposeScope();
        using Tensor embeddings = Embeddings.Of(encoder, all, encoder.Pooling, batchSize: 128, Ranks.Alone, default);
        Tensor directions = nn.functional.normalize(embeddings, dim: 1), asked = tensor(indices.ToArray(), device: directions.device);
        Tensor itself = TensorArithmetic.Range(images.Count, ScalarType.Int64, directions.device).unsqueeze(0).eq(asked.unsqueeze(1));
        Tensor similarity = directions.index_select(0, asked).matmul(directions.t()).Masked(itself, -2);   // below every cosine
        int shown = (int)Math.Min(neighbors, images.Count - 1);
        long[] nearest = similarity.topk(shown, 1).indexes.cpu().contiguous().data<long>().ToArray();

        var columns = new byte[shown + 1][];
        columns[0] = Bytes(images, indices);
        for (int column = 0; column < shown; column++)
        {
            var picked = new long[indices.Length];
            for (int row = 0; row < picked.Length; row++) picked[row] = nearest[row * shown + column];
            columns[column + 1] = Bytes(images, picked);
        }
        return PictureGrid.Compose(columns, indices.Length, size.Height, size.Width, size.Channels, scale);
    }

    private static byte[] Bytes(ImageStore images, ReadOnlySpan<long> indices)
    {
        using Tensor batch = images.Batch(indices);
        return batch.data<byte>().ToArray();
    }
}

/// <summary>Writes pictures as PNG files: 8 bits a channel, grey, RGB or RGBA.</summary>
public static class PngWriter
{
    /// <summary>Writes a picture, safely: a reader sees the old file or the whole new one.</summary>
    /// <param name="path">The file; its folder is made if it is not there.</param>
    /// <param name="pixels">Rows from the top, in a row the pixels, in a pixel its bytes: one for grey, three for RGB, four for RGBA.</param>
    /// <exception cref="ArgumentException">A size is not positive, or the number of bytes is that of no such picture.</exception>
    /// <exception cref="IOException">The file cannot be written; one that was there before is untouched.</exception>
    public static void Save(string path, int width, int height, ReadOnlySpan<byte> pixels)
    {
        byte[] file = Encode(width, height, pixels);
        AtomicFile.Write(path, stream => stream.Write(file));
    }

    internal static void Save(string path, (int Width, int Height, byte[] Rgba) picture) => Save(path, picture.Width, picture.Height, picture.Rgba);

    internal static byte[] Encode(int width, int height, ReadOnlySpan<byte> pixels)
    {
        long count = (long)width * height;
        long channels = width > 0 && height > 0 && pixels.Length % count == 0 ? pixels.Length / count : 0;
        if (channels is not (1 or 3 or 4))
            throw new ArgumentException(
                $"{pixels.Length} bytes are not a picture of {width}x{height}: expected one, three or four bytes for each pixel.", nameof(pixels));
        using SKBitmap bitmap = ToBitmap(width, height, (int)channels, pixels);
        using SKData png = bitmap.Encode(SKEncodedImageFormat.Png, quality: 100);
        return png.ToArray();
    }

    /// <summary>A bitmap, grey or RGBA, of pixels of any number of channels; below three the first is grey.</summary>
    internal static unsafe SKBitmap ToBitmap(int width, int height, int channels, ReadOnlySpan<byte> pixels)
    {
        (SKColorType color, SKAlphaType alpha) = channels < 3 ? (SKColorType.Gray8, SKAlphaType.Opaque)
            : (SKColorType.Rgba8888, channels == 3 ? SKAlphaType.Opaque : SKAlphaType.Unpremul);
        var bitmap = new SKBitmap(new SKImageInfo(width, height, color, alpha));
        var to = new Span<byte>((void*)bitmap.GetPixels(), bitmap.ByteCount);
        int each = bitmap.BytesPerPixel, copied = Math.Min(each, channels);
        to.Fill(255);
        for (int i = 0; i < width * height; i++) pixels.Slice(i * channels, copied).CopyTo(to[(i * each)..]);
        return bitmap;
    }
}

/// <summary>Puts small pictures into one, in rows and columns with white between.</summary>
internal static class PictureGrid
{
    private const int Gap = 4;

    /// <param name="columns">For each column the pictures from the top, each <c>[height, width, channels]</c>; below three channels the first is grey.</param>
    /// <param name="scale">How many pixels a pixel becomes.</param>
    public static (int Width, int Height, byte[] Rgba) Compose(byte[][] columns, int rows, int height, int width, int channels, int scale)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(scale);
        int cellWidth = width * scale + Gap, cellHeight = height * scale + Gap;
        using var grid = new SKBitmap(new SKImageInfo(
            columns.Length * cellWidth + Gap, rows * cellHeight + Gap, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using var canvas = new SKCanvas(grid);
        canvas.Clear(SKColors.White);
        for (int column = 0; column < columns.Length; column++)
        {
            using SKBitmap strip = PngWriter.ToBitmap(width, rows * height, channels, columns[column]);
            for (int row = 0; row < rows; row++)
                canvas.DrawBitmap(
                    strip, SKRect.Create(0, row * height, width, height),
                    SKRect.Create(Gap + column * cellWidth, Gap + row * cellHeight, width * scale, height * scale));
        }
        return (grid.Width, grid.Height, grid.Bytes);
    }
}
