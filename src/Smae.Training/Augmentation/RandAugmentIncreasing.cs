using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>RandAugment as timm has it, with the operations whose strength increases with the magnitude.</summary>
internal sealed record RandAugmentIncreasing(int NumOps, double Magnitude, double MagnitudeStd, double Probability) : Augmentation
{
    private const double MaxMagnitude = 10, MaxShear = 0.3, MaxTranslation = 0.45, MaxDegrees = 30, MaxBlend = 0.9, MinFactor = 0.1;
    private const int Values = 256, MaxAdded = 110, FewestBits = 4;

    /// <summary>Operations to draw from.</summary>
    public static int Choices => 15;

    public int NumOps { get; } = Within(NumOps, 0, int.MaxValue);

    public double Magnitude { get; } = Within(Magnitude, 0, MaxMagnitude);

    public double MagnitudeStd { get; } = Within(MagnitudeStd, 0, double.MaxValue);

    public double Probability { get; } = Within(Probability, 0, 1);

    /// <summary>One of the operations: timm's table.</summary>
    /// <param name="choice">Which, 0 to 14, in timm's order.</param>
    /// <param name="magnitude">0 to 10.</param>
    /// <param name="negative">Whether the magnitude is taken negative; of some it has no sign.</param>
    /// <param name="height">Of the image.</param>
    /// <param name="width">Of the image.</param>
    internal static DrawnOperation Operation(int choice, double magnitude, bool negative, int height, int width)
    {
        double level = magnitude / MaxMagnitude, signed = negative ? -level : level;
        DrawnOperation Blend(ImageOperation operation) => DrawnOperation.Blend(operation, Math.Max(MinFactor, 1 + MaxBlend * signed));
        return choice switch
        {
            0 => new(ImageOperation.AutoContrast),
            1 => new(ImageOperation.Equalize),
            2 => new(ImageOperation.Invert),
            3 => DrawnOperation.Rotate(MaxDegrees * signed, height, width),
            4 => new(ImageOperation.Posterize, FewestBits - Math.Truncate(level * FewestBits)),
            5 => new(ImageOperation.Solarize, Values - Math.Truncate(level * Values)),
            6 => new(ImageOperation.SolarizeAdd, Math.Truncate(level * MaxAdded)),
            7 => Blend(ImageOperation.Color),
            8 => Blend(ImageOperation.Contrast),
            9 => Blend(ImageOperation.Brightness),
            10 => Blend(ImageOperation.Sharpness),
            11 => DrawnOperation.ShearX(MaxShear * signed),
            12 => DrawnOperation.ShearY(MaxShear * signed),
            13 => DrawnOperation.Translate(-MaxTranslation * signed * width, 0),
            14 => DrawnOperation.Translate(0, -MaxTranslation * signed * height),
            _ => throw new ArgumentOutOfRangeException(nameof(choice), choice, $"There are {Choices} operations."),
        };
    }

    private protected override Tensor Transform(Tensor images, RandomSequence random)
    {
        ColorOperations.CheckChannels(images);
        (int channels, int height, int width) = ((int)images.size(1), (int)images.size(2), (int)images.size(3));
        IReadOnlyList<float> mean = new ImagePreprocessing { Height = height, Width = width, Channels = channels }.Mean;
        Tensor outside = tensor(mean.Select(m => MathF.Round(255 * m)).ToArray(), [1, channels, 1, 1], device: images.device);
        Tensor bytes = ByteOperations.FromUnit(images);
        var drawn = new DrawnOperation[images.size(0)];
        for (int round = 0; round < NumOps; round++)
        {
            for (int i = 0; i < drawn.Length; i++)
            {
                double magnitude = Math.Clamp(Magnitude + MagnitudeStd * random.Normal(), 0, MaxMagnitude);
                DrawnOperation operation = Operation(random.Below(Choices), magnitude, random.Chance(0.5), height, width);
                drawn[i] = random.Chance(Probability) ? operation : DrawnOperation.None;
            }
            bytes = ByteOperations.Apply(bytes, drawn, (group, maps) => AffineSampling.Bicubic(group, maps, outside));
        }
        return bytes.div(255);
    }
}
