using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>A picture to judge an encoder by: a row for each image asked about with the image itself, then those whose embeddings are most like its own.</summary>
public static class NeighborGrid
{
    /// <summary>Draws the picture.</summary>
    /// <param name="encoder">The encoder.</param>
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
        using Tensor embeddings = Embeddings.Of(encoder, all, encoder.Pooling, batchSize: 128, default);
        Tensor directions = nn.functional.normalize(embeddings, dim: 1), asked = tensor(indices.ToArray(), device: directions.device);
        Tensor similarity = directions.index_select(0, asked).matmul(directions.t())
            .masked_fill(arange(images.Count, device: directions.device).unsqueeze(0).eq(asked.unsqueeze(1)), -2);   // itself: below every cosine
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
