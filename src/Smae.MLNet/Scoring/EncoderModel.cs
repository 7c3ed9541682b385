using Smae.Export;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>An encoder: its numbers are the embedding.</summary>
internal sealed class EncoderModel(ImageEncoder encoder) : ISavableModel
{
    public ImagePreprocessing Preprocessing => encoder.Preprocessing;

    public int OutputLength => encoder.EmbedDim;

    public void Run(ReadOnlySpan<byte> images, int count, Span<float> outputs) => encoder.Embed(images, count, outputs);

    public SavedOutput WriteOnnx(string path) => new(encoder.ExportOnnx(path).Info.Outputs[0]);
}
