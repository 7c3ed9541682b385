using Smae.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.MLNet;

/// <summary>Any network that gives logits: its numbers are the probabilities of the classes. Calls are run one after the other.</summary>
/// <param name="preprocessing">What is done to an image first.</param>
/// <param name="classes">Number of classes.</param>
/// <param name="logits">
/// From images, <c>[batch, height, width, channels]</c>, uint8, on the CPU, to logits, <c>[batch, classes]</c>, on any device.
/// </param>
/// <param name="writeOnnx">Writes the network as ONNX, see <see cref="ISavableModel.WriteOnnx"/>.</param>
/// <param name="owned">What is disposed with this object.</param>
internal sealed class LogitsModel(
    ImagePreprocessing preprocessing, int classes, Func<Tensor, Tensor> logits, Func<string, SavedOutput> writeOnnx, params IDisposable[] owned)
    : ISavableModel, IDisposable
{
    private readonly Lock _lock = new();
    private bool _disposed;

    public ImagePreprocessing Preprocessing => preprocessing;

    public int OutputLength => classes;

    public void Run(ReadOnlySpan<byte> images, int count, Span<float> outputs)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            using DisposeScope scope = NewDisposeScope();
            using var noGrad = no_grad();
            Tensor bytes = empty([count, preprocessing.Height, preprocessing.Width, preprocessing.Channels], ScalarType.Byte);
            images.CopyTo(bytes.bytes);
            logits(bytes).to_type(ScalarType.Float32).softmax(-1).cpu().contiguous().data<float>().CopyTo(outputs);
        }
    }

    public SavedOutput WriteOnnx(string path)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return writeOnnx(path);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed)
                return;
            _disposed = true;
            foreach (var part in owned)
                part.Dispose();
        }
    }
}
