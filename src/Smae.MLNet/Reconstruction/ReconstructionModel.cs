using Smae.Export;
using Smae.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.MLNet;

/// <summary>
/// An autoencoder whose numbers are the bytes of a picture. An image takes one of a few masks that are drawn once: which one depends on its pixels alone, so
/// that it is the same in whatever batch, order or row the image comes, and an ONNX graph can say it. Calls are run one after the other.
/// </summary>
internal sealed class ReconstructionModel : ISavableModel, IDisposable
{
    /// <summary>So many that images are masked in different ways, and so few that they take no room in a saved model.</summary>
    private const int MaskCount = 64;

    private readonly Lock _lock = new();
    private readonly MaskedAutoencoder _autoencoder;
    private readonly Objective _objective;
    private readonly Device _device;
    private readonly ImageNormalizer _normalizer;
    private bool _disposed;

    public ReconstructionModel(MaskedAutoencoder autoencoder, MaeReconstructOptions options, int seed)
    {
        _autoencoder = autoencoder;
        _objective = options.Objective ?? Objective.Pixel();
        var config = autoencoder.Config;
        Preprocessing = options.Preprocessing
            ?? new ImagePreprocessing { Height = config.ImageHeight, Width = config.ImageWidth, Channels = config.Channels };
        Pictures = new MaskedPictures(DrawMasks(options.Masking ?? Masking.Random(0.75), config, seed), options.View switch
        {
            ReconstructionView.Masked => [PicturePart.Seen],
            ReconstructionView.SideBySide => [PicturePart.Original, PicturePart.Seen, PicturePart.Completed],
            _ => [PicturePart.Completed],
        });
        _device = autoencoder.parameters().First().device;
        _normalizer = new ImageNormalizer(Preprocessing, _device);
        autoencoder.eval();
    }

    public ImagePreprocessing Preprocessing { get; }

    /// <summary>The masks, and what a picture shows.</summary>
    public MaskedPictures Pictures { get; }

    /// <summary>Width of a picture; its height is that of an image.</summary>
    public int PictureWidth => Preprocessing.Width * Pictures.Parts.Count;

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
            Tensor[] parts = [.. Pictures.Parts.Select(part => part switch
            {
                PicturePart.Original => original,
                PicturePart.Seen => seen,
                _ => completed,
            })];
            _normalizer.ToBytes(cat(parts, 3)).to_type(ScalarType.Float32).data<float>().CopyTo(outputs);
        }
    }

    /// <exception cref="NotSupportedException">The objective makes pixels of predictions in a way of its own.</exception>
    public SavedOutput WriteOnnx(string path)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Type maker = _objective.GetType().GetMethod(nameof(Objective.ToPixels))!.DeclaringType!;
        if (maker.Assembly != typeof(Objective).Assembly)
        {
            throw new NotSupportedException(
                $"{maker.Name}.{nameof(Objective.ToPixels)} makes pixels of predictions, and a saved model cannot hold it. Make the transformer again with " +
                "mlContext.Transforms.MaeReconstruct instead of loading it.");
        }
        return new SavedOutput(_autoencoder.ExportOnnx(path, new MaePretrainOptions
        {
            Encoder = _autoencoder.Config, Objective = _objective, Resize = Preprocessing.Resize, Mean = Preprocessing.Mean,
            StandardDeviation = Preprocessing.StandardDeviation,
        }).Info.Outputs[0]);
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

    /// <summary>Masks one after the other, 1 where a patch is hidden.</summary>
    private static byte[] DrawMasks(Masking masking, VisionTransformerConfig config, int seed)
    {
        using DisposeScope scope = NewDisposeScope();
        using var random = new RandomStream(seed);
        var masks = masking.Draw(MaskCount, config.GridHeight, config.GridWidth, random.At(RandomUse.Mask, 0));
        return masks.Hidden().to_type(ScalarType.Byte).data<byte>().ToArray();
    }

    private PatchMask MaskOf(ReadOnlySpan<byte> images, int count)
    {
        int patches = _autoencoder.Config.PatchCount;
        bool[] hidden = new bool[count * patches];
        for (int i = 0; i < count; i++)
        {
            long sum = 0;
            foreach (byte value in images.Slice(i * Preprocessing.ByteCount, Preprocessing.ByteCount))
                sum += value;
            var mask = Pictures.Masks.AsSpan((int)(sum % MaskCount) * patches, patches);
            for (int patch = 0; patch < patches; patch++)
                hidden[i * patches + patch] = mask[patch] != 0;
        }
        return PatchMask.FromFlags(hidden, patches);
    }
}
