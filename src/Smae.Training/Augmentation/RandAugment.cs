namespace Smae.Training;

internal sealed record RandAugment(int NumOps, int Magnitude, int Bins) : Augmentation
{
    private const double MaxShear = 0.3, MaxTranslation = 150.0 / 331, MaxDegrees = 30, MaxBlend = 0.9;

    public const int Choices = 14;

    /// <summary>One of the operations at the magnitude, in torchvision's order.</summary>
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

    private protected override Tensor Transform(Tensor images, RandomSequence[] random)
    {
        ColorOperations.CheckChannels(images);
        (int height, int width) = ((int)images.size(2), (int)images.size(3));
        Tensor bytes = ByteOperations.FromUnit(images);
        var drawn = new DrawnOperation[images.size(0)];
        for (int round = 0; round < NumOps; round++)
        {
            for (int i = 0; i < drawn.Length; i++) drawn[i] = Operation(random[i].Below(Choices), random[i].Below(2) == 1, height, width);
            bytes = ByteOperations.Apply(bytes, drawn, AffineSampling.Nearest);
        }
        return bytes.DividedBy(255);
    }

    /// <summary>The magnitude's place between two ends, in single precision as torch.linspace makes it.</summary>
    private float Linear(double start, double end)
    {
        float step = ((float)end - (float)start) / (Bins - 1);
        return Magnitude < Bins / 2 ? (float)start + step * Magnitude : (float)end - step * (Bins - 1 - Magnitude);
    }
}

/// <summary>RandAugment as timm has it, with the operations whose strength increases with the magnitude.</summary>
internal sealed record RandAugmentIncreasing(int NumOps, double Magnitude, double MagnitudeStd, double Probability) : Augmentation
{
    public const double MaxMagnitude = 10;
    private const double MaxShear = 0.3, MaxTranslation = 0.45, MaxDegrees = 30, MaxBlend = 0.9, MinFactor = 0.1;
    private const int Values = 256, MaxAdded = 110, FewestBits = 4;

    public const int Choices = 15;

    /// <summary>One of the operations at a magnitude from 0 to 10, in timm's order.</summary>
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

    private protected override Tensor Transform(Tensor images, RandomSequence[] random)
    {
        ColorOperations.CheckChannels(images);
        (int channels, int height, int width) = ((int)images.size(1), (int)images.size(2), (int)images.size(3));
        IReadOnlyList<float> mean = new ImagePreprocessing { Height = height, Width = width, Channels = channels }.Mean;
        Tensor outside = tensor(mean.Select(m => MathF.Round(255 * m)).ToArray(), [1, channels, 1, 1]).Upload(images.device);
        Tensor bytes = ByteOperations.FromUnit(images);
        var drawn = new DrawnOperation[images.size(0)];
        for (int round = 0; round < NumOps; round++)
        {
            for (int i = 0; i < drawn.Length; i++)
            {
                double magnitude = Math.Clamp(Magnitude + MagnitudeStd * random[i].Normal(), 0, MaxMagnitude);
                DrawnOperation operation = Operation(random[i].Below(Choices), magnitude, random[i].Chance(0.5), height, width);
                drawn[i] = random[i].Chance(Probability) ? operation : DrawnOperation.None;
            }
            bytes = ByteOperations.Apply(bytes, drawn, (group, maps) => AffineSampling.Bicubic(group, maps, outside));
        }
        return bytes.DividedBy(255);
    }
}

/// <summary>An operation drawn for an image, with its numbers.</summary>
internal readonly record struct DrawnOperation(ImageOperation Operation, params double[] Numbers)
{
    public static DrawnOperation None => new(ImageOperation.None);

    /// <summary>Shear along the rows about the upper left corner: a pixel is taken from x + factor * y.</summary>
    public static DrawnOperation ShearX(double factor) => new(ImageOperation.Affine, 1, factor, 0, 0, 1, 0);

    /// <summary>Shear along the columns about the upper left corner: a pixel is taken from y + factor * x.</summary>
    public static DrawnOperation ShearY(double factor) => new(ImageOperation.Affine, 1, 0, 0, factor, 1, 0);

    /// <summary>The image moves to the right and down by so many pixels.</summary>
    public static DrawnOperation Translate(double x, double y) => new(ImageOperation.Affine, 1, 0, -x, 0, 1, -y);

    /// <summary>The image turns counter-clockwise about its centre.</summary>
    public static DrawnOperation Rotate(double degrees, int height, int width)
    {
        (double sine, double cosine) = Math.SinCos(degrees * Math.PI / 180);
        (double x, double y) = (width / 2.0, height / 2.0);
        return new(ImageOperation.Affine, cosine, -sine, x - cosine * x + sine * y, sine, cosine, y - sine * x - cosine * y);
    }

    /// <summary>A blend of the image and what its operation says, the image weighing so much.</summary>
    public static DrawnOperation Blend(ImageOperation operation, double factor) => new(operation, factor, 1 - factor);
}

internal enum ImageOperation
{
    None = ImageGroups.None,   // Nothing
    Affine,   // Moves pixels by a linear map: shear, translation, rotation. Six numbers, see AffineSampling
    Brightness,   // A blend with black. Factor and 1 - factor
    Color,   // A blend with the grey image. Factor and 1 - factor
    Contrast,   // A blend with the mean of the grey image. Factor and 1 - factor
    Sharpness,   // A blend with the smoothed image. Factor and 1 - factor
    Posterize,   // Keeps the uppermost bits. Their number
    Solarize,   // Inverts from a threshold on. The threshold
    SolarizeAdd,   // Adds to what is below 128. What is added
    Invert,   // 255 less the value
    AutoContrast,   // Stretches each channel to 0..255
    Equalize,   // Spreads each channel so that all values are about as frequent
}
