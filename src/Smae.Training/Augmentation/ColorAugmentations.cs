namespace Smae.Training;

/// <summary>Changes brightness, contrast, saturation and hue, in an order of its own for each image.</summary>
internal sealed record ColorJitter(double Brightness, double Contrast, double Saturation, double Hue) : Augmentation
{
    /// <summary>Changes one property of each image: 0 brightness, 1 contrast, 2 saturation, 3 hue.</summary>
    /// <param name="amounts">Factor and 1 - factor of each image, or its turn of hue: <c>[batch, 2]</c>.</param>
    internal static Tensor Change(int property, Tensor images, Tensor amounts) => property switch
    {
        0 => ColorOperations.Brightness(images, amounts, 1),
        1 => ColorOperations.Contrast(images, ColorOperations.Grey(images), amounts, 1),
        2 => images.size(1) == 1 ? images : ColorOperations.Blend(images, ColorOperations.Grey(images), amounts, 1),
        _ => ColorOperations.Hue(images, amounts),
    };

    private protected override Tensor Transform(Tensor images, RandomSequence[] random)
    {
        ColorOperations.CheckChannels(images);
        double[] strengths = [Brightness, Contrast, Saturation, Hue];
        if (strengths.All(s => s == 0)) return images;
        // What is done to each image in each round, and how much.
        var rounds = Array.ConvertAll(strengths, _ => (Properties: new int[images.size(0)], Amounts: new float[2 * images.size(0)]));
        for (int i = 0; i < images.size(0); i++)
        {
            int[] order = [0, 1, 2, 3];
            for (int last = order.Length - 1; last > 0; last--)
            {
                int pick = random[i].Below(last + 1);
                (order[last], order[pick]) = (order[pick], order[last]);
            }
            for (int round = 0; round < order.Length; round++)
            {
                (int property, double strength) = (order[round], strengths[order[round]]);
                double amount = property == 3 ? random[i].Uniform(-strength, strength) : random[i].Uniform(Math.Max(0, 1 - strength), 1 + strength);
                rounds[round].Properties[i] = strength == 0 ? ImageGroups.None : property;
                (rounds[round].Amounts[2 * i], rounds[round].Amounts[2 * i + 1]) = ((float)amount, (float)(1 - amount));
            }
        }
        foreach ((int[] properties, float[] amounts) in rounds) images = ImageGroups.Apply(images, properties, amounts, Change);
        return images;
    }
}

internal sealed record Grayscale : Augmentation
{
    public static Tensor Of(Tensor images) => ColorOperations.Grey(images).expand_as(images).contiguous();

    private protected override Tensor Transform(Tensor images, RandomSequence[] random)
    {
        ColorOperations.CheckChannels(images);
        return Of(images);
    }
}

internal sealed record Solarize(double Threshold) : Augmentation
{
    private const double HalfByte = 0.5 / 255;   // so that rounding decides nothing where pixels are bytes

    public static Tensor Of(Tensor images, double threshold) => where(images.IsAbove(threshold - HalfByte), images.SubtractedFrom(1), images);

    private protected override Tensor Transform(Tensor images, RandomSequence[] random) => Of(images, Threshold);
}

internal sealed record GaussianBlur((double Min, double Max) Deviation) : Augmentation
{
    /// <param name="deviations">Of the Gaussian of each image, in pixels: <c>[batch, 1]</c>.</param>
    public static Tensor Of(Tensor images, Tensor deviations, double maxDeviation)
    {
        Tensor deviation = deviations.reshape(-1, 1, 1);
        Tensor vertical = SeparableFilter.BlurWeights(deviation, maxDeviation, images.size(2));
        Tensor horizontal = SeparableFilter.BlurWeights(deviation, maxDeviation, images.size(3));
        return SeparableFilter.Apply(images, vertical, horizontal);
    }

    private protected override Tensor Transform(Tensor images, RandomSequence[] random)
    {
        var deviations = new float[images.size(0)];
        for (int i = 0; i < deviations.Length; i++) deviations[i] = (float)random[i].Uniform(Deviation.Min, Deviation.Max);
        return Of(images, tensor(deviations, [deviations.Length, 1]).Upload(images.device), Deviation.Max);
    }
}

/// <summary>Makes an image grey, or inverts what is brighter than the middle, or blurs it: the choice of 3-Augment (DeiT III).</summary>
internal sealed record ThreeAugment : Augmentation
{
    private const double MinDeviation = 0.1, MaxDeviation = 2, Middle = 128.0 / 255;

    /// <summary>Does one of the three: 0 grey, 1 solarize, 2 blur.</summary>
    /// <param name="deviations">Of the blur, in pixels: <c>[batch, 1]</c>.</param>
    internal static Tensor Change(int choice, Tensor images, Tensor deviations) => choice switch
    {
        0 => Smae.Training.Grayscale.Of(images),
        1 => Smae.Training.Solarize.Of(images, Middle),
        _ => Smae.Training.GaussianBlur.Of(images, deviations, MaxDeviation),
    };

    private protected override Tensor Transform(Tensor images, RandomSequence[] random)
    {
        ColorOperations.CheckChannels(images);
        var choices = new int[images.size(0)];
        var deviations = new float[choices.Length];
        for (int i = 0; i < choices.Length; i++)
            (choices[i], deviations[i]) = (random[i].Below(3), (float)random[i].Uniform(MinDeviation, MaxDeviation));
        return ImageGroups.Apply(images, choices, deviations, Change);
    }
}

/// <summary>Colours as torchvision changes them, on batches of any range of values.</summary>
internal static class ColorOperations
{
    public static void CheckChannels(Tensor images)
    {
        if (images.size(1) is not (1 or 3))
            throw new ArgumentException($"The images have {images.size(1)} channels: colours need 1 (grey) or 3 (red, green, blue).", nameof(images));
    }

    /// <summary>Luminance, <c>[batch, 1, height, width]</c>: 0.2989 red, 0.587 green, 0.114 blue.</summary>
    public static Tensor Grey(Tensor images) => images.size(1) == 1 ? images
        : images.narrow(1, 0, 1).Times(0.2989).AddInPlace(images.narrow(1, 1, 1).Times(0.587)).AddInPlace(images.narrow(1, 2, 1).Times(0.114));

    /// <summary>Of each image, so much of itself and the rest of another: below 0 and above <paramref name="bound"/> is cut off.</summary>
    /// <param name="other">What factor 0 gives; broadcasts to the images.</param>
    /// <param name="factors">Factor and 1 - factor of each image, <c>[batch, 2 or more]</c>; the second is made in double precision.</param>
    public static Tensor Blend(Tensor images, Tensor other, Tensor factors, double bound) =>
        (images * Column(factors, 0)).AddInPlace(other * Column(factors, 1)).ClampInPlace(0, bound);

    public static Tensor Brightness(Tensor images, Tensor factors, double bound) => (images * Column(factors, 0)).ClampInPlace(0, bound);

    public static Tensor Contrast(Tensor images, Tensor grey, Tensor factors, double bound) =>
        Blend(images, grey.mean([1, 2, 3], keepdim: true), factors, bound);

    /// <summary>Turns the hue, through hue, saturation and value. Images are 0 to 1; grey ones stay.</summary>
    /// <param name="turn">Turns of each image, <c>[batch, 1 or more]</c>.</param>
    public static Tensor Hue(Tensor images, Tensor turn)
    {
        if (images.size(1) == 1) return images;
        Tensor value = images.amax([1], keepdim: true), chroma = value - images.amin([1], keepdim: true);
        Tensor divisor = where(chroma.IsEqualTo(0), chroma.ones_like(), chroma);
        Tensor Below(long channel) => (value - images.narrow(1, channel, 1)).div_(divisor);
        Tensor red = Below(0), green = Below(1), blue = Below(2);
        Tensor sixths = where(red.IsEqualTo(0), blue - green, where(green.IsEqualTo(0), (red - blue).AddInPlace(2), (green - red).AddInPlace(4)));
        Tensor hue = sixths.DividedBy(6).AddInPlace(Column(turn, 0)).ModuloInPlace(1).MultiplyInPlace(6);

        // The inverse in one formula for the three channels: value - chroma * max(0, min(k, 4 - k, 1)), k = (n + hue) mod 6, n = 5, 3, 1.
        Tensor place = hue.Plus(tensor(new float[] { 5, 3, 1 }, [1, 3, 1, 1]).Upload(images.device));
        place = place.ModuloInPlace(6);
        return value - minimum(place, place.SubtractedFrom(4)).ClampInPlace(0, 1).mul_(chroma);
    }

    /// <summary>One number of each image, so that it broadcasts: <c>[batch, 1, 1, 1]</c>.</summary>
    public static Tensor Column(Tensor parameters, int column) => parameters.narrow(1, column, 1).reshape(-1, 1, 1, 1);
}
