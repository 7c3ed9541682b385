namespace Smae.Training;

/// <summary>
/// A model with what is done to images before it sees them. Thread-safe: calls are run one after the other, since each already uses all cores.
/// </summary>
public abstract class ImageModel : IDisposable
{
    private readonly Lock _lock = new();
    private readonly nn.Module _model;
    private readonly ImageNormalizer _normalizer;
    private bool _disposed;

    /// <summary>Puts a model to use. It is switched to evaluation and disposed together with this object.</summary>
    /// <param name="model">The model, already on <paramref name="device"/>.</param>
    protected ImageModel(nn.Module model, ImagePreprocessing preprocessing, Device? device)
    {
        (_model, Preprocessing, Device) = (model, preprocessing, device ?? CPU);
        _normalizer = new ImageNormalizer(preprocessing, Device);
        model.eval();
    }

    /// <summary>What is done to images first.</summary>
    public ImagePreprocessing Preprocessing { get; }

    /// <summary>Where the model is.</summary>
    public Device Device { get; }

    /// <summary>Runs the model over images.</summary>
    /// <param name="images">Their bytes one after the other, each <c>[height, width, channels]</c> of <see cref="Preprocessing"/>.</param>
    /// <param name="results">Takes what the model makes of them, one image after the other.</param>
    /// <param name="length">How many numbers it makes of an image.</param>
    /// <param name="forward">From normalised images, <c>[batch, channels, height, width]</c>, to <c>[batch, length]</c>, float32.</param>
    /// <exception cref="ArgumentException">A span is not of the length that <paramref name="count"/> asks for.</exception>
    protected void Run(ReadOnlySpan<byte> images, int count, Span<float> results, int length, Func<Tensor, Tensor> forward)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        long bytesAsked = (long)count * Preprocessing.ByteCount, numbersAsked = (long)count * length;
        if (images.Length != bytesAsked)
            throw new ArgumentException($"{count} images of {Preprocessing.ByteCount} bytes are {bytesAsked} bytes, not {images.Length}.", nameof(images));
        if (results.Length != numbersAsked)
            throw new ArgumentException($"{count} results of {length} numbers are {numbersAsked} numbers, not {results.Length}.", nameof(results));
        if (count == 0) return;
        using DisposeScope scope = NewDisposeScope();
        Tensor bytes = empty([count, Preprocessing.Height, Preprocessing.Width, Preprocessing.Channels], ScalarType.Byte);
        images.CopyTo(bytes.bytes);
        Run(bytes, forward).cpu().contiguous().data<float>().CopyTo(results);
    }

    /// <summary>Runs the model over a batch.</summary>
    /// <param name="bytes"><c>[batch, height, width, channels]</c> of <see cref="Preprocessing"/>, uint8.</param>
    /// <param name="forward">From normalised images, <c>[batch, channels, height, width]</c>, to the result.</param>
    /// <returns>The result, on the model's device, without a graph.</returns>
    protected Tensor Run(Tensor bytes, Func<Tensor, Tensor> forward) => Locked(() => Forward(bytes, forward).MoveToOuterDisposeScope());

    /// <summary>The same with an augmentation first.</summary>
    private protected Tensor Run(Tensor bytes, Augmentation? augmentation, RandomSequence[] random, Func<Tensor, Tensor> forward) =>
        Locked(() => forward(_normalizer.Normalize(bytes, augmentation, random)).MoveToOuterDisposeScope());

    /// <summary>Runs the model; on a CPU, where an image does not depend on others, each core on some of many.</summary>
    private Tensor Forward(Tensor bytes, Func<Tensor, Tensor> forward)
    {
        int? rowsPerImage = Device.type == DeviceType.CPU && get_num_threads() > 1 ? (_model as IPartwiseModel)?.RowsPerImage : null;
        if (rowsPerImage is not { } rows || !CoreThreads.Shared.HaveWork(bytes.size(0), rows)) return forward(_normalizer.Normalize(bytes));
        CoreThreads threads = CoreThreads.Shared;
        (int Begin, int End)[] parts = threads.Parts((int)bytes.size(0), rows);
        var results = new Tensor[parts.Length];
        try
        {
            threads.Run(parts.Length, (_, part) =>
            {
                using DisposeScope scope = NewDisposeScope();
                using var noGrad = no_grad();
                Tensor images = bytes.narrow(0, parts[part].Begin, parts[part].End - parts[part].Begin);
                results[part] = forward(_normalizer.Normalize(images)).DetachFromDisposeScope();
            });
            return cat(results, 0);
        }
        finally
        {
            foreach (Tensor? result in results) result?.Dispose();   // null where a part has failed
        }
    }

    /// <exception cref="ObjectDisposedException">This object has been disposed.</exception>
    internal void CheckNotDisposed() => Locked(() => { });

    /// <summary>Does work with the model that no other thread may disturb, without gradients and in a dispose scope of its own.</summary>
    /// <exception cref="ObjectDisposedException">This object has been disposed.</exception>
    protected T Locked<T>(Func<T> work)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            using DisposeScope scope = NewDisposeScope();
            using var noGrad = no_grad();   // not inference mode: its tensors may not meet a graph later, and the gain is nothing here
            T result = work();
            GC.KeepAlive(this);   // the caller may have no more use for it: its weights are not finalised while libtorch reads them
            return result;
        }
    }

    /// <inheritdoc cref="Locked{T}"/>
    protected void Locked(Action work) => Locked(() =>
    {
        work();
        return true;
    });

    /// <summary>Frees the model.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed) return;
            _disposed = true;
            _normalizer.Dispose();
            _model.Dispose();
        }
        GC.SuppressFinalize(this);
    }
}
