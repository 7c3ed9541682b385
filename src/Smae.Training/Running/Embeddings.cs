using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Embeddings of whole sets of images.</summary>
internal static class Embeddings
{
    /// <param name="encoder">The encoder.</param>
    /// <param name="images">Images of its size.</param>
    /// <param name="pooling">How tokens become one vector.</param>
    /// <param name="batchSize">Images at a time.</param>
    /// <param name="cancellation">Looked at between batches.</param>
    /// <returns><c>[images, dim]</c>, float32, on the encoder's device, in no dispose scope.</returns>
    public static Tensor Of(ImageEncoder encoder, LabelledImages images, Pooling pooling, int batchSize, CancellationToken cancellation)
    {
        Tensor all = empty([images.Count, encoder.EmbedDim], ScalarType.Float32, encoder.Device).DetachFromDisposeScope();
        try
        {
            foreach (long[] block in images.Blocks(batchSize))
            {
                cancellation.ThrowIfCancellationRequested();
                using DisposeScope scope = NewDisposeScope();
                all.narrow(0, block[0], block.Length).copy_(encoder.Embed(images.Images.Batch(block), pooling));
            }
            return all;
        }
        catch
        {
            all.Dispose();
            throw;
        }
    }
}
