namespace Smae.Training;

/// <summary>Turns batches of bytes into what a model takes: float32, channels first, each channel less its mean and divided by its deviation.</summary>
public sealed class ImageNormalizer : IDisposable
{
    private readonly Tensor _mean, _scale;

    /// <summary>Normalisation by mean and deviation of a preprocessing.</summary>
    public ImageNormalizer(ImagePreprocessing preprocessing, Device device)
    {
        Tensor Channels(IEnumerable<float> values) => tensor(values.ToArray(), [1, preprocessing.Channels, 1, 1], device: device).DetachFromDisposeScope();
        (Device, _mean) = (device, Channels(preprocessing.Mean.Select(m => m * 255f)));
        _scale = Channels(preprocessing.StandardDeviation.Select(s => 1 / (s * 255f)));
    }

    /// <summary>Where it works.</summary>
    public Device Device { get; }

    /// <summary>Normalises images, <c>[batch, height, width, channels]</c>, uint8.</summary>
    /// <returns><c>[batch, channels, height, width]</c>, float32, on the device; in memory the channels still stand together, as patches want them.</returns>
    public Tensor Normalize(Tensor bytes) => ToFloats(bytes).sub_(_mean).mul_(_scale);

    /// <summary>The same, with an augmentation of images from 0 to 1 before the normalisation.</summary>
    internal Tensor Normalize(Tensor bytes, Augmentation? augmentation, RandomSequence[] random) =>
        augmentation is null ? Normalize(bytes) : NormalizeUnits(ToUnits(bytes), augmentation, random);

    /// <summary>Images from 0 to 1, for augmentations: <c>[batch, channels, height, width]</c>, float32, on the device.</summary>
    internal Tensor ToUnits(Tensor bytes) => ToFloats(bytes).DivideInPlace(255);

    /// <summary>Augments and normalises what <see cref="ToUnits"/> gave.</summary>
    internal Tensor NormalizeUnits(Tensor units, Augmentation augmentation, RandomSequence[] random) =>
        augmentation.Apply(units, random).Times(255).sub_(_mean).mul_(_scale);

    private Tensor ToFloats(Tensor bytes) => bytes.Upload(Device).permute(0, 3, 1, 2).to_type(ScalarType.Float32);

    /// <summary>The inverse, rounded and clamped: <c>[batch, height, width, channels]</c>, uint8, on the CPU.</summary>
    public Tensor ToBytes(Tensor images) =>
        images.div(_scale).Plus(_mean).round().Clamped(0, 255).to_type(ScalarType.Byte).permute(0, 2, 3, 1).contiguous().cpu();

    /// <inheritdoc/>
    public void Dispose()
    {
        _mean.Dispose();
        _scale.Dispose();
    }
}
