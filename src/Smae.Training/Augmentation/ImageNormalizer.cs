namespace Smae.Training;

/// <summary>Turns batches of bytes into what a model takes: float32, channels first, each channel less its mean and divided by its deviation.</summary>
public sealed class ImageNormalizer : IDisposable
{
    private readonly Tensor _mean;
    private readonly Tensor _scale;

    /// <summary>Normalisation as a preprocessing says.</summary>
    /// <param name="preprocessing">Mean and deviation of each channel.</param>
    /// <param name="device">Where it works.</param>
    public ImageNormalizer(ImagePreprocessing preprocessing, Device device)
    {
        Device = device;
        long channels = preprocessing.Channels;
        _mean = tensor(preprocessing.Mean.Select(m => m * 255f).ToArray(), [1, channels, 1, 1], device: device).DetachFromDisposeScope();
        _scale = tensor(preprocessing.StandardDeviation.Select(s => 1 / (s * 255f)).ToArray(), [1, channels, 1, 1], device: device).DetachFromDisposeScope();
    }

    /// <summary>Where it works.</summary>
    public Device Device { get; }

    /// <summary>Normalises images.</summary>
    /// <param name="bytes"><c>[batch, height, width, channels]</c>, uint8.</param>
    /// <returns><c>[batch, channels, height, width]</c>, float32, on the device; in memory the channels still stand together, as patches want them.</returns>
    public Tensor Normalize(Tensor bytes) => ToFloats(bytes).sub_(_mean).mul_(_scale);

    /// <summary>The same, with an augmentation before the normalisation.</summary>
    /// <param name="bytes"><c>[batch, height, width, channels]</c>, uint8.</param>
    /// <param name="augmentation">Works on images from 0 to 1; null is none.</param>
    /// <param name="random">What the augmentation draws from.</param>
    internal Tensor Normalize(Tensor bytes, Augmentation? augmentation, RandomSequence random) =>
        augmentation is null ? Normalize(bytes) : NormalizeUnits(ToUnits(bytes), augmentation, random);

    /// <summary>Images from 0 to 1, for augmentations.</summary>
    /// <param name="bytes"><c>[batch, height, width, channels]</c>, uint8.</param>
    /// <returns><c>[batch, channels, height, width]</c>, float32, on the device.</returns>
    internal Tensor ToUnits(Tensor bytes) => ToFloats(bytes).div_(255);

    /// <summary>Augments and normalises.</summary>
    /// <param name="units">What <see cref="ToUnits"/> gave; left as it is.</param>
    /// <param name="augmentation">Works on images from 0 to 1.</param>
    /// <param name="random">What the augmentation draws from.</param>
    internal Tensor NormalizeUnits(Tensor units, Augmentation augmentation, RandomSequence random) =>
        augmentation.Apply(units, random).mul(255).sub_(_mean).mul_(_scale);

    private Tensor ToFloats(Tensor bytes) => bytes.to(Device).permute(0, 3, 1, 2).to_type(ScalarType.Float32);

    /// <summary>The inverse, rounded and clamped to bytes.</summary>
    /// <param name="images"><c>[batch, channels, height, width]</c>, float32.</param>
    /// <returns><c>[batch, height, width, channels]</c>, uint8, on the CPU.</returns>
    public Tensor ToBytes(Tensor images) =>
        images.div(_scale).add(_mean).round().clamp(0, 255).to_type(ScalarType.Byte).permute(0, 2, 3, 1).contiguous().cpu();

    /// <summary>Frees mean and deviation.</summary>
    public void Dispose()
    {
        _mean.Dispose();
        _scale.Dispose();
    }
}
