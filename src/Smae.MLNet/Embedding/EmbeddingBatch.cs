using Microsoft.ML.Data;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>A batch of images and their embeddings.</summary>
internal sealed class EmbeddingBatch(ImageBatch images, ImageEncoder encoder)
{
    private readonly float[] _embeddings = new float[images.Capacity * encoder.EmbedDim];

    public ImageBatch Images => images;

    /// <summary>Decodes and embeds the images taken; a broken one's embedding is NaN, ML.NET's missing value.</summary>
    public void Embed()
    {
        images.Decode();
        encoder.Embed(images.Pixels, images.Count, _embeddings.AsSpan(0, images.Count * encoder.EmbedDim));
        for (int i = 0; i < images.Count; i++)
        {
            if (images.Problem(i) is not null)
                Embedding(i).Fill(float.NaN);
        }
    }

    /// <summary>Copies an embedding out, into the buffer that <paramref name="destination"/> has if it is large enough.</summary>
    public void CopyTo(int index, ref VBuffer<float> destination)
    {
        var editor = VBufferEditor.Create(ref destination, encoder.EmbedDim);
        Embedding(index).CopyTo(editor.Values);
        destination = editor.Commit();
    }

    private Span<float> Embedding(int index) => _embeddings.AsSpan(index * encoder.EmbedDim, encoder.EmbedDim);
}
