namespace Smae.Training;

/// <summary>A box of whole pixels within an image.</summary>
internal readonly record struct CropBox(int Top, int Left, int Height, int Width)
{
    private const int Attempts = 10;

    /// <summary>
    /// The box of torchvision's RandomResizedCrop: area uniform, aspect ratio (width over height) log-uniform, place uniform; after ten that do not
    /// fit, the central one with the nearest ratio that is allowed.
    /// </summary>
    public static CropBox ForResizedCrop(RandomSequence random, int height, int width, (double Min, double Max) scale, (double Min, double Max) ratio)
    {
        if (Draw(random, height, width, scale, ratio, height, width) is { } box) return box;
        double aspect = (double)width / height;
        (int boxHeight, int boxWidth) = aspect < ratio.Min ? (Rounded(width / ratio.Min), width)
            : aspect > ratio.Max ? (height, Rounded(height * ratio.Max)) : (height, width);
        return new((height - boxHeight) / 2, (width - boxWidth) / 2, boxHeight, boxWidth);

        static int Rounded(double side) => Math.Max(1, (int)Math.Round(side));
    }

    /// <summary>The box of RandomErasing, smaller than the image both ways; null after ten that are not. Here a ratio is height over width.</summary>
    public static CropBox? ForErasing(RandomSequence random, int height, int width, (double Min, double Max) scale, (double Min, double Max) ratio) =>
        Draw(random, height, width, scale, (1 / ratio.Max, 1 / ratio.Min), height - 1, width - 1);

    private static CropBox? Draw(
        RandomSequence random, int height, int width, (double Min, double Max) scale, (double Min, double Max) ratio, int maxHeight, int maxWidth)
    {
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            double area = (double)height * width * random.Uniform(scale.Min, scale.Max);
            double aspect = Math.Exp(random.Uniform(Math.Log(ratio.Min), Math.Log(ratio.Max)));
            int boxWidth = (int)Math.Round(Math.Sqrt(area * aspect)), boxHeight = (int)Math.Round(Math.Sqrt(area / aspect));
            if (boxWidth < 1 || boxWidth > maxWidth || boxHeight < 1 || boxHeight > maxHeight) continue;
            return new(random.Below(height - boxHeight + 1), random.Below(width - boxWidth + 1), boxHeight, boxWidth);
        }
        return null;
    }
}
