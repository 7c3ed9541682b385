using System.Buffers.Binary;
using System.Security.Cryptography;
using Smae.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.MLNet;

/// <summary>
/// An autoencoder whose numbers are the bytes of a picture. An image's mask depends on its pixels and the seed alone, so that it is the same
/// in whatever batch, order or row the image comes. Calls are run one after the other.
/// </summary>
internal sealed class ReconstructionModel : IImageModel, IDisposable
{
    private readonly Lock _lock = new();
    private readonly MaskedAutoencoder _autoencoder;
    private readonly MaeReconstructOptions _options;
    private readonly Masking _masking;
    private readonly Objective _objective;
    private readonly long _seed;
    private readonly Device _device;
    private readonly ImageNormalizer _normalizer;
    private bool _disposed;

    public ReconstructionModel(MaskedAutoencoder autoencoder, MaeReconstructOptions options, int seed)
    {
        _autoencoder = autoencoder;
        _options = options;
        _masking = options.Masking ?? Masking.Random(0.75);
        _objective = options.Objective ?? Objective.Pixel();
        _seed = seed;
        var config = autoencoder.Config;
        Preprocessing = options.Preprocessing
            ?? new ImagePreprocessing { Height = config.ImageHeight, Width = config.ImageWidth, Channels = config.Channels };
        _device = autoencoder.parameters().First().device;
        _normalizer = new ImageNormalizer(Preprocessing, _device);
        autoencoder.eval();
    }

    public ImagePreprocessing Preprocessing { get; }

    /// <summary>Width of a picture; its height is that of an image.</summary>
    public int PictureWidth => Preprocessing.Width * (_options.View == ReconstructionView.SideBySide ? 3 : 1);

    /// <summary>The bytes of a picture, <c>[height, PictureWidth, channels]</c>.</summary>
    public int OutputLength => Preprocessing.Height * PictureWidth * Preprocessing.Channels;

    public void Run(ReadOnlySpan<byte> images, int count, Span<float> outputs)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            using DisposeScope scope = NewDisposeScope();
            using var noGrad = no_grad();
            Tensor bytes = empty([count, Preprocessing.Height, Preprocessing.Width, Preprocessing.Channels], ScalarType.Byte);
            images.CopyTo(bytes.bytes);
            Tensor original = _normalizer.Normalize(bytes);
            var (seen, completed) = ReconstructionGrid.Complete(_autoencoder, original, MaskOf(images, count).To(_device), _objective);
            Tensor picture = _options.View switch
            {
                ReconstructionView.Masked => seen,
                ReconstructionView.SideBySide => cat([original, seen, completed], 3),
                _ => completed,
            };
            _normalizer.ToBytes(picture).to_type(ScalarType.Float32).data<float>().CopyTo(outputs);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed)
                return;
            _disposed = true;
            _normalizer.Dispose();
        }
    }

    private PatchMask MaskOf(ReadOnlySpan<byte> images, int count)
    {
        var config = _autoencoder.Config;
        bool[] hidden = new bool[count * config.PatchCount];
        using var generator = new Generator();
        for (int i = 0; i < count; i++)
        {
            var hash = SHA256.HashData(images.Slice(i * Preprocessing.ByteCount, Preprocessing.ByteCount));
            generator.manual_seed(RandomStream.Mix(_seed, BinaryPrimitives.ReadInt64LittleEndian(hash)));
            var flags = _masking.Draw(1, config.GridHeight, config.GridWidth, generator).Hidden().data<float>();
            for (int patch = 0; patch < config.PatchCount; patch++)
                hidden[i * config.PatchCount + patch] = flags[patch] > 0;
        }
        return PatchMask.FromFlags(hidden, config.PatchCount);
    }
}
