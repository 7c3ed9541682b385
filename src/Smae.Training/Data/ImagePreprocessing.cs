using System.Globalization;

namespace Smae.Training;

/// <summary>
/// What is done to an image before a model sees it: all of it, in one place. It is kept with the weights and in ONNX files, so that scoring sees the same
/// pixels as training.
/// </summary>
public sealed record ImagePreprocessing
{
    /// <summary>Height in pixels after resizing.</summary>
    public required int Height { get; init; }

    /// <summary>Width in pixels after resizing.</summary>
    public required int Width { get; init; }

    /// <summary>Channels: 1 (grey), 3 (red, green, blue) or 4 (the same, each multiplied by alpha, and alpha). Default 3.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>How an image of another shape is resized. Default <see cref="ResizeMode.Crop"/>.</summary>
    public ResizeMode Resize { get; init; } = ResizeMode.Crop;

    /// <summary>Which way up a photograph is seen that says how its camera was held. Default <see cref="ImageOrientation.Upright"/>.</summary>
    public ImageOrientation Orientation { get; init; } = ImageOrientation.Upright;

    /// <summary>
    /// The ground that transparent images are laid on: red, green and blue on a scale of 0 to 1, for grey images too. With 4 channels it is not used. Default
    /// white.
    /// </summary>
    public IReadOnlyList<float> Background { get => field ?? [1, 1, 1]; init; }

    /// <summary>Mean of each channel on a scale of 0 to 1; it is subtracted. Default: ImageNet's, 0.5 for channels that ImageNet lacks.</summary>
    public IReadOnlyList<float> Mean { get => field ?? Defaults(Channels, ImageNetMean, 0.449f); init; }

    /// <summary>Standard deviation of each channel on a scale of 0 to 1; it divides. Default: ImageNet's, 0.5 for channels that ImageNet lacks.</summary>
    public IReadOnlyList<float> StandardDeviation { get => field ?? Defaults(Channels, ImageNetDeviation, 0.226f); init; }

    /// <summary>Bytes of an image: <c>Height * Width * Channels</c>.</summary>
    public int ByteCount => Height * Width * Channels;

    private static ReadOnlySpan<float> ImageNetMean => [0.485f, 0.456f, 0.406f];

    private static ReadOnlySpan<float> ImageNetDeviation => [0.229f, 0.224f, 0.225f];

    /// <inheritdoc/>
    public bool Equals(ImagePreprocessing? other) =>
        other is not null && (Height, Width, Channels, Resize, Orientation) == (other.Height, other.Width, other.Channels, other.Resize, other.Orientation)
        && Background.SequenceEqual(other.Background) && Mean.SequenceEqual(other.Mean) && StandardDeviation.SequenceEqual(other.StandardDeviation);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Height, Width, Channels, Resize, Orientation, Mean.FirstOrDefault(), StandardDeviation.FirstOrDefault());

    /// <summary>One line for people, in the invariant culture.</summary>
    public override string ToString()
    {
        static string Numbers(IEnumerable<float> list) => string.Join(" ", list.Select(n => n.ToString(CultureInfo.InvariantCulture)));
        return string.Create(CultureInfo.InvariantCulture, $"{Height}x{Width}x{Channels}, {Resize}, {Orientation}, ground {Numbers(Background)}, ")
            + $"mean {Numbers(Mean)}, deviation {Numbers(StandardDeviation)}";
    }

    /// <exception cref="ArgumentException">The images are of another size.</exception>
    internal void CheckSize(ImageStore images, string paramName)
    {
        if ((images.Height, images.Width, images.Channels) != (Height, Width, Channels))
            throw new ArgumentException(
                $"The images are {images.Height}x{images.Width} with {images.Channels} channels: expected {Height}x{Width} with {Channels}.", paramName);
    }

    /// <summary>Checks that there is a mean and a positive deviation for each channel.</summary>
    /// <exception cref="ArgumentException">There is not: the message names every fault.</exception>
    public void Validate() => Rules.Check(Faults(), nameof(ImagePreprocessing));

    /// <summary>What is wrong with these settings, one sentence each; empty if nothing is.</summary>
    public IEnumerable<string> Faults()
    {
        foreach (string fault in Rules.Faults(this)) yield return fault;
        if (Math.Min(Math.Min(Height, Width), Channels) < 1 || (double)Height * Width * Channels > Array.MaxLength)
            yield return $"Images of {Height}x{Width} with {Channels} channels: expected at least 1 of each, and 2 GiB at most.";
        foreach ((string name, IReadOnlyList<float> values) in new[] { ("Mean", Mean), ("StandardDeviation", StandardDeviation) })
        {
            if (values.Count != Channels) yield return $"{name} has {values.Count} numbers: expected one for each of {Channels} channels.";
            if (values.Any(v => !float.IsFinite(v))) yield return $"{name} holds a number that is not finite.";
        }
        if (Background.Count != 3 || Background.Any(v => !(v is >= 0 and <= 1))) yield return "Background is not three numbers from 0 to 1.";
        if (StandardDeviation.Any(v => v <= 0)) yield return "StandardDeviation holds a number that is not positive.";
    }

    private static float[] Defaults(int channels, ReadOnlySpan<float> rgb, float grey)
    {
        if (channels == 1) return [grey];
        if (channels < 1) return [];   // a fault, which Faults tells
        var values = new float[channels];
        Array.Fill(values, 0.5f);
        rgb[..Math.Min(rgb.Length, channels)].CopyTo(values);
        return values;
    }
}

/// <summary>How an image of another shape is brought to the model's size. The names of ML.NET's <c>ResizeImages</c> are in brackets.</summary>
public enum ResizeMode
{
    /// <summary>Scale until the image covers the size, cut off what stands over on both sides (IsoCrop).</summary>
    Crop,

    /// <summary>Scale until the image fits into the size, fill the rest with black (IsoPad).</summary>
    Pad,

    /// <summary>Scale both sides by themselves (Fill).</summary>
    Stretch,
}

/// <summary>Which way up a photograph is seen.</summary>
public enum ImageOrientation
{
    /// <summary>As its EXIF data says, as people see it.</summary>
    Upright,

    /// <summary>As its pixels are stored, whatever EXIF data says: what ML.NET's own <c>LoadImages</c> and many programs in Python see.</summary>
    AsStored,
}

/// <summary>What happens when an image cannot be read: a missing or truncated file, or one that is no image.</summary>
public enum BrokenImagePolicy
{
    /// <summary>It is reported and counted, and the work goes on without it.</summary>
    Skip,

    /// <summary>The work stops with an error that names it.</summary>
    Fail,
}
