using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// An encoder with all it needs to turn images into embeddings: preprocessing, pooling, device. Thread-safe; calls are run one after the other,
/// since each already uses all cores.
/// </summary>
public sealed class ImageEncoder : IDisposable
{
    private readonly Lock _lock = new();
    private readonly ImageNormalizer _normalizer;
    private readonly Device _device;
    private bool _disposed;

    /// <summary>Puts an encoder to use. It is switched to evaluation and disposed together with this object.</summary>
    /// <param name="model">The encoder, already on <paramref name="device"/>.</param>
    /// <param name="preprocessing">What is done to images first.</param>
    /// <param name="pooling">How tokens become one vector. Default <see cref="Pooling.Mean"/>.</param>
    /// <param name="device">Where the encoder is; null is the CPU.</param>
    /// <exception cref="ArgumentException">Encoder and preprocessing are for different sizes.</exception>
    public ImageEncoder(VisionTransformer model, ImagePreprocessing preprocessing, Pooling pooling = Pooling.Mean, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(preprocessing);
        VisionTransformerConfig config = model.Config;
        if ((config.ImageHeight, config.ImageWidth, config.Channels) != (preprocessing.Height, preprocessing.Width, preprocessing.Channels))
            throw new ArgumentException(
                $"Preprocessing gives {preprocessing.Height}x{preprocessing.Width}x{preprocessing.Channels}: "
                + $"the encoder expects {config.ImageHeight}x{config.ImageWidth}x{config.Channels}.", nameof(preprocessing));
        Guard.NoFaults(preprocessing.Faults(), nameof(preprocessing));
        NativeTuning.Apply();
        (Model, Preprocessing, Pooling, _device) = (model, preprocessing, pooling, device ?? CPU);
        _normalizer = new ImageNormalizer(preprocessing, _device);
        model.eval();
    }

    /// <summary>The encoder.</summary>
    public VisionTransformer Model { get; }

    /// <summary>What is done to images first.</summary>
    public ImagePreprocessing Preprocessing { get; }

    /// <summary>How tokens become one vector.</summary>
    public Pooling Pooling { get; }

    /// <summary>Where the encoder is.</summary>
    internal Device Device => _device;

    /// <summary>Numbers in an embedding.</summary>
    public int EmbedDim => Model.Config.EmbedDim;

    /// <summary>An encoder with random weights: the baseline that pretraining is measured against.</summary>
    /// <param name="config">Its shape.</param>
    /// <param name="seed">Seed of the weights. Default 0.</param>
    /// <param name="device">Where; null is the CPU.</param>
    public static ImageEncoder Create(VisionTransformerConfig config, long seed = 0, Device? device = null) => Create(
        config, new ImagePreprocessing { Height = config.ImageHeight, Width = config.ImageWidth, Channels = config.Channels }, Pooling.Mean, seed, device);

    private static ImageEncoder Create(VisionTransformerConfig config, ImagePreprocessing preprocessing, Pooling pooling, long seed, Device? device)
    {
        NativeTuning.Apply();
        return new ImageEncoder(new VisionTransformer(config, seed).to(device ?? CPU), preprocessing, pooling, device);
    }

    /// <summary>Embeds images.</summary>
    /// <param name="images">Their bytes one after the other, each <c>[height, width, channels]</c> of <see cref="Preprocessing"/>.</param>
    /// <param name="count">How many.</param>
    /// <param name="embeddings">Takes the embeddings one after the other, <c>[count, EmbedDim]</c>.</param>
    /// <exception cref="ArgumentException">A span is not of the length that <paramref name="count"/> asks for.</exception>
    public void Embed(ReadOnlySpan<byte> images, int count, Span<float> embeddings)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (images.Length != (long)count * Preprocessing.ByteCount)
            throw new ArgumentException($"{count} images of {Preprocessing.ByteCount} bytes are {(long)count * Preprocessing.ByteCount} bytes, not {images.Length}.", nameof(images));
        if (embeddings.Length != (long)count * EmbedDim)
            throw new ArgumentException($"{count} embeddings of {EmbedDim} numbers are {(long)count * EmbedDim} numbers, not {embeddings.Length}.", nameof(embeddings));
        if (count == 0) return;
        using DisposeScope scope = NewDisposeScope();
        Tensor bytes = empty([count, Preprocessing.Height, Preprocessing.Width, Preprocessing.Channels], ScalarType.Byte);
        images.CopyTo(bytes.bytes);
        Embed(bytes, Pooling).cpu().contiguous().data<float>().CopyTo(embeddings);
    }

    /// <summary>Embeds a batch.</summary>
    /// <param name="bytes"><c>[batch, height, width, channels]</c> of <see cref="Preprocessing"/>, uint8.</param>
    /// <param name="pooling">How tokens become one vector; null, the default, is <see cref="Pooling"/>.</param>
    /// <returns><c>[batch, EmbedDim]</c>, float32, on the encoder's device, without a graph.</returns>
    public Tensor Embed(Tensor bytes, Pooling? pooling = null) => Embed(bytes, pooling ?? Pooling, augmentation: null);

    /// <summary>Embeds a batch.</summary>
    /// <param name="bytes"><c>[batch, height, width, channels]</c> of <see cref="Preprocessing"/>, uint8.</param>
    /// <param name="pooling">How tokens become one vector.</param>
    /// <param name="augmentation">Done to the images first; null is none.</param>
    /// <param name="random">What the augmentation draws from.</param>
    /// <returns><c>[batch, EmbedDim]</c>, float32, on the encoder's device, without a graph.</returns>
    internal Tensor Embed(Tensor bytes, Pooling pooling, Augmentation? augmentation, RandomSequence? random = null)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            using DisposeScope scope = NewDisposeScope();
            using var noGrad = no_grad();   // not inference mode: its tensors may not meet a graph later, and the gain is nothing here
            Tensor images = augmentation is null ? _normalizer.Normalize(bytes) : _normalizer.Normalize(bytes, augmentation, random!);
            return CoreThreads.Map(images, Model.Config.PatchCount + 1, part => Model.Pool(Model.forward(part), pooling).to_type(ScalarType.Float32))
                .MoveToOuterDisposeScope();
        }
    }

    /// <summary>Saves the weights as safetensors and, beside them under the same name with <c>.json</c>, configuration and preprocessing.</summary>
    /// <param name="path">The weights' file, for example <c>encoder.safetensors</c>.</param>
    /// <exception cref="IOException">The files cannot be written; files that were there before are untouched.</exception>
    public void Save(string path)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            SafeTensors.Save(path, ModelWeights.Of(Model), new Dictionary<string, string> { ["format"] = "pt" });
        }
        ModelDescription.Save(path, new Description(Model.Config, Preprocessing, Pooling));
    }

    /// <summary>Loads what <see cref="Save"/> wrote.</summary>
    /// <param name="path">The weights' file.</param>
    /// <param name="device">Where to; null is the CPU.</param>
    /// <exception cref="FileNotFoundException">The weights or the JSON file beside them are not there.</exception>
    /// <exception cref="InvalidDataException">A file is damaged or the two do not fit each other; the message says where.</exception>
    public static ImageEncoder Load(string path, Device? device = null)
    {
        var description = ModelDescription.Load<Description>(path, "an encoder");
        ImageEncoder encoder = Create(description.Encoder, description.Preprocessing, description.Pooling, 0, device);
        try
        {
            ModelWeights.Load(encoder.Model, path);
            return encoder;
        }
        catch
        {
            encoder.Dispose();
            throw;
        }
    }

    /// <summary>Shape and preprocessing of an encoder in a file, without its weights.</summary>
    internal static (VisionTransformerConfig Config, ImagePreprocessing Preprocessing) Describe(string path)
    {
        var description = ModelDescription.Load<Description>(path, "an encoder");
        return (description.Encoder, description.Preprocessing);
    }

    /// <exception cref="ObjectDisposedException">The encoder has been disposed.</exception>
    internal void ThrowIfDisposed()
    {
        lock (_lock) ObjectDisposedException.ThrowIf(_disposed, this);
    }

    /// <summary>Frees the encoder.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed) return;
            _disposed = true;
            _normalizer.Dispose();
            Model.Dispose();
        }
    }

    /// <summary>What the JSON file holds.</summary>
    internal sealed record Description(VisionTransformerConfig Encoder, ImagePreprocessing Preprocessing, Pooling Pooling);
}
