using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Changes brightness, contrast, saturation and hue, in an order of its own for each image.</summary>
internal sealed record ColorJitter(double Brightness, double Contrast, double Saturation, double Hue) : Augmentation
{
    private const int Properties = 4;

    public double Brightness { get; } = Within(Brightness, 0, double.MaxValue);

    public double Contrast { get; } = Within(Contrast, 0, double.MaxValue);

    public double Saturation { get; } = Within(Saturation, 0, double.MaxValue);

    public double Hue { get; } = Within(Hue, 0, 0.5);

    /// <summary>Changes one property of each image: 0 brightness, 1 contrast, 2 saturation, 3 hue.</summary>
    /// <param name="property">Which.</param>
    /// <param name="images">The images.</param>
    /// <param name="amounts">Factor and 1 - factor of each image, or its turn of hue: <c>[batch, 2]</c>.</param>
    internal static Tensor Change(int property, Tensor images, Tensor amounts) => property switch
    {
        0 => ColorOperations.Brightness(images, amounts, 1),
        1 => ColorOperations.Contrast(images, ColorOperations.Grey(images), amounts, 1),
        2 => images.size(1) == 1 ? images : ColorOperations.Blend(images, ColorOperations.Grey(images), amounts, 1),
        _ => ColorOperations.Hue(images, amounts),
    };

    private protected override Tensor Transform(Tensor images, RandomSequence random)
    {
        ColorOperations.CheckChannels(images);
        double[] strengths = [Brightness, Contrast, Saturation, Hue];
        if (strengths.All(s => s == 0)) return images;
        int batch = (int)images.size(0);
        var properties = new int[Properties][];   // what is done to each image in each round
        var amounts = new float[Properties][];
        for (int round = 0; round < Properties; round++) (properties[round], amounts[round]) = (new int[batch], new float[2 * batch]);
        int[] order = [0, 1, 2, 3];
        for (int i = 0; i < batch; i++)
        {
            for (int last = Properties - 1; last > 0; last--)
            {
                int pick = random.Below(last + 1);
                (order[last], order[pick]) = (order[pick], order[last]);
            }
            for (int round = 0; round < Properties; round++)
            {
                int property = order[round];
                double strength = strengths[property];
                double amount = property == 3 ? random.Uniform(-strength, strength) : random.Uniform(Math.Max(0, 1 - strength), 1 + strength);
                properties[round][i] = strength == 0 ? ImageGroups.None : property;
                (amounts[round][2 * i], amounts[round][2 * i + 1]) = ((float)amount, (float)(1 - amount));
            }
        }
        for (int round = 0; round < Properties; round++) images = ImageGroups.Apply(images, properties[round], amounts[round], Change);
        return images;
    }
}
