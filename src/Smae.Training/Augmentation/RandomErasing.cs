using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Overwrites a random box of some of the images.</summary>
internal sealed record RandomErasing(
    double Probability, (double Min, double Max) Scale, (double Min, double Max) Ratio, ErasingFill Fill, ImagePreprocessing? Preprocessing)
    : Augmentation
{
    private protected override Tensor Transform(Tensor images, RandomSequence random)
    {
        (int batch, int channels, int height, int width) = ((int)images.size(0), (int)images.size(1), (int)images.size(2), (int)images.size(3));
        var boxes = new CropBox[batch];   // of no pixel where an image is left alone
        for (int i = 0; i < batch; i++)
            if (random.Chance(Probability)) boxes[i] = CropBox.ForErasing(random, height, width, Scale, Ratio) ?? default;
        int pixels = boxes.Sum(b => b.Height * b.Width);
        if (pixels == 0) return images;

        Tensor Edge(Func<CropBox, int> of) => tensor(Array.ConvertAll(boxes, b => (float)of(b)), [batch, 1, 1, 1], device: images.device);
        Tensor row = arange(height, ScalarType.Float32, images.device).reshape(1, 1, height, 1);
        Tensor column = arange(width, ScalarType.Float32, images.device).reshape(1, 1, 1, width);
        Tensor rows = row.ge(Edge(b => b.Top)).logical_and_(row.lt(Edge(b => b.Top + b.Height)));
        Tensor erased = rows.logical_and(column.ge(Edge(b => b.Left)).logical_and_(column.lt(Edge(b => b.Left + b.Width))));
        if (Fill == ErasingFill.Zero) return images.masked_fill(erased, 0);
        return images.masked_scatter(erased.expand(batch, channels, height, width), Noise(random, boxes, channels, images.device));
    }

    /// <summary>Noise for the boxes, image by image and channel by channel.</summary>
    private Tensor Noise(RandomSequence random, CropBox[] boxes, int channels, Device device)
    {
        ImagePreprocessing statistics = Preprocessing ?? new ImagePreprocessing { Height = 1, Width = 1, Channels = channels };
        if (statistics.Channels != channels)
            throw new ArgumentException(
                $"The images have {channels} channels and the preprocessing of the noise {statistics.Channels}: expected as many.", nameof(channels));
        var noise = new float[boxes.Sum(b => b.Height * b.Width) * channels];
        random.FillNormal(noise);
        int at = 0;
        foreach (CropBox box in boxes)
            for (int channel = 0; channel < channels; channel++)
                foreach (ref float value in noise.AsSpan(at, box.Height * box.Width))
                {
                    value = statistics.Mean[channel] + statistics.StandardDeviation[channel] * value;
                    at++;
                }
        return tensor(noise, device: device);
    }
}

/// <summary>What an erased box is filled with.</summary>
public enum ErasingFill
{
    /// <summary>0, black.</summary>
    Zero,

    /// <summary>
    /// Normal noise, new for each pixel and channel, that has mean 0 and deviation 1 once the images are normalised (timm's mode 'pixel', which
    /// erases after normalisation). It is not clamped to 0..1.
    /// </summary>
    Noise,
}
