using Smae.Export;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.MLNet;

/// <summary>A model that a transformer runs: makes numbers of images. Any number of threads may run it at the same time.</summary>
/// <param name="preprocessing">What is done to an image first.</param>
/// <param name="outputLength">Numbers that the model gives for an image.</param>
internal abstract class ImageModel(ImagePreprocessing preprocessing, int outputLength) : IDisposable
{
    public ImagePreprocessing Preprocessing => preprocessing;

    public int OutputLength => outputLength;

    /// <summary>Runs the model on a batch.</summary>
    /// <param name="images">The images one after the other, each <c>[height, width, channels]</c> of <see cref="Preprocessing"/>.</param>
    /// <param name="outputs">Takes what the model gives, <c>[count, OutputLength]</c>.</param>
    public void Run(ReadOnlySpan<byte> images, int count, Span<float> outputs)
    {
        if (images.Length != (long)count * preprocessing.ByteCount || outputs.Length != (long)count * outputLength)
            throw new ArgumentException(
                $"{count} images of {preprocessing.ByteCount} bytes with {outputLength} numbers each came as {images.Length} bytes "
                + $"and {outputs.Length} numbers.");
        if (count > 0) Score(images, count, outputs);
    }

    /// <summary>Writes the model as ONNX, to be saved.</summary>
    /// <returns>Where in it the numbers are: an embedding, the logits of classes, or the prediction of an image.</returns>
    /// <exception cref="NotSupportedException">The model cannot be written.</exception>
    public abstract SavedOutput WriteOnnx(string path);

    public virtual void Dispose()
    {
    }

    /// <summary>Runs the model on a batch whose sizes are right.</summary>
    protected abstract void Score(ReadOnlySpan<byte> images, int count, Span<float> outputs);
}

/// <summary>The numbers of a model that was written as ONNX, and what is done to them: null is nothing.</summary>
internal sealed record SavedOutput(OnnxOutputInfo Output, LinearMap? Map = null);

/// <summary>A network of TorchSharp as an image model: its calls are run one after the other, since each uses all cores.</summary>
/// <param name="owned">What is disposed with this object.</param>
internal abstract class TorchModel(ImagePreprocessing preprocessing, int outputLength, Device? device, params IDisposable[] owned)
    : ImageModel(preprocessing, outputLength)
{
    private readonly Lock _lock = new();
    private bool _disposed;

    protected ImageNormalizer Normalizer { get; } = new(preprocessing, device ?? CPU);

    public sealed override SavedOutput WriteOnnx(string path)
    {
        ObjectDisposedException.ThrowIf(_disposed, typeof(ImageTransformer));   // what its user knows
        return Write(path);
    }

    public sealed override void Dispose()
    {
        lock (_lock)
        {
            if (_disposed) return;
            _disposed = true;
            Normalizer.Dispose();
            foreach (var part in owned) part.Dispose();
        }
    }

    protected sealed override void Score(ReadOnlySpan<byte> images, int count, Span<float> outputs)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(ImageTransformer));
            using DisposeScope scope = NewDisposeScope();
            using var noGrad = no_grad();
            Tensor bytes = empty([count, Preprocessing.Height, Preprocessing.Width, Preprocessing.Channels], ScalarType.Byte);
            images.CopyTo(bytes.bytes);
            Forward(bytes).to_type(ScalarType.Float32).cpu().contiguous().data<float>().CopyTo(outputs);
        }
    }

    /// <summary>The model's numbers, <c>[batch, OutputLength]</c> or of as many dimensions as they have, on any device.</summary>
    /// <param name="bytes"><c>[batch, height, width, channels]</c>, uint8, on the CPU.</param>
    protected abstract Tensor Forward(Tensor bytes);

    /// <inheritdoc cref="ImageModel.WriteOnnx"/>
    protected abstract SavedOutput Write(string path);
}
