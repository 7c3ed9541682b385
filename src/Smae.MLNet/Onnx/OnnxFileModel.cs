using Smae.Export;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>An ONNX file at work, as a model of a scorer.</summary>
/// <param name="model">The session, which this object owns.</param>
/// <param name="file">The file it was opened from.</param>
/// <param name="saved">The output whose numbers a saved model starts from: an embedding, or the logits of classes.</param>
internal sealed class OnnxFileModel(OnnxImageModel model, OnnxFile file, OnnxOutputInfo saved) : ISavableModel, IDisposable
{
    public ImagePreprocessing Preprocessing => model.Info.Preprocessing;

    public int OutputLength => model.OutputLength;

    /// <summary>Where it is computed.</summary>
    public OnnxDevice Device => model.Device;

    public void Run(ReadOnlySpan<byte> images, int count, Span<float> outputs) => model.Run(images, count, outputs);

    public SavedOutput WriteOnnx(string path)
    {
        file.Copy(path);
        return new SavedOutput(saved);
    }

    public void Dispose() => model.Dispose();
}
