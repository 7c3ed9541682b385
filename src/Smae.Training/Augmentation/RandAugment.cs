using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>RandAugment as torchvision has it.</summary>
internal sealed record RandAugment : Augmentation
{
    private const double MaxShear = 0.3, MaxTranslation = 150.0 / 331, MaxDegrees = 30, MaxBlend = 0.9;

    public RandAugment(int numOps, int magnitude, int bins)
    {
        NumOps = Within(numOps, 0, int.MaxValue);
        Bins = Within(bins, 2, int.MaxValue);
        Magnitude = Within(magnitude, 0, bins - 1);
    }

    /// <summary>Operations to draw from.</summary>
    public static int Choices => 14;

    public int NumOps { get; }

    public int Magnitude { get; }

    public int Bins { get; }

    /// <summary>One of the operations at the magnitude: torchvision's table.</summary>
    /// <param name="choice">Which, 0 to 13, in torchvision's order.</param>
    /// <param name="negative">Whether the magnitude is taken negative; of some it has no sign.</param>
    /// <param name="height">Of the image.</param>
    /// <param name="width">Of the image.</param>
    internal DrawnOperation Operation(int choice, bool negative, int height, int width)
    {
        double Signed(double max) => negative ? -Linear(0, max) : Linear(0, max);
        return choice switch
        {
            0 => DrawnOperation.None,
            1 => DrawnOperation.ShearX(Signed(MaxShear)),
            2 => DrawnOperation.ShearY(Signed(MaxShear)),
            3 => DrawnOperation.Translate(Math.Truncate(Signed(MaxTranslation * width)), 0),
            4 => DrawnOperation.Translate(0, Math.Truncate(Signed(MaxTranslation * height))),
            5 => DrawnOperation.Rotate(Signed(MaxDegrees), height, width),
            6 => DrawnOperation.Blend(ImageOperation.Brightness, 1 + Signed(MaxBlend)),
            7 => DrawnOperation.Blend(ImageOperation.Color, 1 + Signed(MaxBlend)),
            8 => DrawnOperation.Blend(ImageOperation.Contrast, 1 + Signed(MaxBlend)),
            9 => DrawnOperation.Blend(ImageOperation.Sharpness, 1 + Signed(MaxBlend)),
            10 => new(ImageOperation.Posterize, 8 - Math.Round(Magnitude / ((Bins - 1) / 4.0))),
            11 => new(ImageOperation.Solarize, Linear(255, 0)),
            12 => new(ImageOperation.AutoContrast),
            13 => new(ImageOperation.Equalize),
            _ => throw new ArgumentOutOfRangeException(nameof(choice), choice, $"There are {Choices} operations."),
        };
    }

    private protected override Tensor Transform(Tensor images, RandomSequence random)
    {
        ColorOperations.CheckChannels(images);
        (int height, int width) = ((int)images.size(2), (int)images.size(3));
        Tensor bytes = ByteOperations.FromUnit(images);
        var drawn = new DrawnOperation[images.size(0)];
        for (int round = 0; round < NumOps; round++)
        {
            for (int i = 0; i < drawn.Length; i++) drawn[i] = Operation(random.Below(Choices), random.Below(2) == 1, height, width);
            bytes = ByteOperations.Apply(bytes, drawn, AffineSampling.Nearest);
        }
        return bytes.div(255);
    }

    /// <summary>The magnitude's place between two ends, in single precision as torch.linspace makes it.</summary>
    private float Linear(double start, double end)
    {
        float step = ((float)end - (float)start) / (Bins - 1);
        return Magnitude < Bins / 2 ? (float)start + step * Magnitude : (float)end - step * (Bins - 1 - Magnitude);
    }
}
