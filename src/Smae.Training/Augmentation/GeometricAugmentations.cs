namespace Smae.Training;

/// <summary>Cuts a random box out of each image and resizes it, to the image's size unless another is given.</summary>
internal sealed record RandomResizedCrop((double Min, double Max) Scale, (double Min, double Max) Ratio, Interpolation Interpolation) : Augmentation
{
    /// <summary>What boxes are resized to, in pixels; null is the size of the images.</summary>
    public (int Height, int Width)? Size { get; init; }

    /// <summary>Resizes a box of each image.</summary>
    internal static Tensor Resize(Tensor images, ReadOnlySpan<CropBox> boxes, Interpolation interpolation, (int Height, int Width)? size = null)
    {
        (long height, long width) = size ?? ((int)images.size(2), (int)images.size(3));
        float[] tops = new float[boxes.Length], lefts = new float[boxes.Length], heights = new float[boxes.Length], widths = new float[boxes.Length];
        for (int i = 0; i < boxes.Length; i++)
            (tops[i], lefts[i], heights[i], widths[i]) = (boxes[i].Top, boxes[i].Left, boxes[i].Height, boxes[i].Width);
        Tensor vertical = SeparableFilter.ResizeWeights(tops, heights, images.size(2), height, interpolation, images.device);
        Tensor horizontal = SeparableFilter.ResizeWeights(lefts, widths, images.size(3), width, interpolation, images.device);
        return SeparableFilter.Apply(images, vertical, horizontal).ClampInPlace(0, 1);
    }

    private protected override Tensor Transform(Tensor images, RandomSequence[] random)
    {
        var boxes = new CropBox[images.size(0)];
        for (int i = 0; i < boxes.Length; i++) boxes[i] = CropBox.ForResizedCrop(random[i], (int)images.size(2), (int)images.size(3), Scale, Ratio);
        return Resize(images, boxes, Interpolation, Size);
    }
}

/// <summary>Pads the images and cuts a box of their size out at a random place.</summary>
internal sealed record RandomCrop(int Padding, bool Reflect) : Augmentation
{
    /// <summary>Moves each image by whole pixels, up and left by positive numbers, and pads what becomes empty.</summary>
    internal static Tensor Move(Tensor images, ReadOnlySpan<int> up, ReadOnlySpan<int> left, bool reflect)
    {
        (long batch, long height, long width) = (images.size(0), images.size(2), images.size(3));
        (Tensor rows, Tensor? rowInside) = Sources(up, (int)height, reflect, images.device);
        (Tensor columns, Tensor? columnInside) = Sources(left, (int)width, reflect, images.device);
        Tensor moved = PixelGather.Take(images, rows.reshape(batch, height, 1), columns.reshape(batch, 1, width));
        return reflect ? moved : moved.mul_(rowInside!.reshape(batch, 1, height, 1)).mul_(columnInside!.reshape(batch, 1, 1, width));
    }

    private protected override Tensor Transform(Tensor images, RandomSequence[] random)
    {
        if (Reflect && Padding >= Math.Min(images.size(2), images.size(3)))
            throw new ArgumentException(
                $"A padding of {Padding} by reflection needs images higher and wider than that: these are {images.size(2)}x{images.size(3)}.",
                nameof(images));
        int[] up = new int[images.size(0)], left = new int[images.size(0)];
        for (int i = 0; i < up.Length; i++) (up[i], left[i]) = (random[i].Below(2 * Padding + 1) - Padding, random[i].Below(2 * Padding + 1) - Padding);
        return Move(images, up, left, Reflect);
    }

    private static (Tensor Source, Tensor? Inside) Sources(ReadOnlySpan<int> shift, int side, bool reflect, Device device)
    {
        var source = new long[shift.Length * side];
        var inside = new float[source.Length];
        for (int b = 0; b < shift.Length; b++)
        for (int i = 0; i < side; i++)
        {
            int from = i + shift[b], mirrored = from < 0 ? -from : from >= side ? 2 * (side - 1) - from : from;
            source[b * side + i] = reflect ? mirrored : Math.Clamp(from, 0, side - 1);
            inside[b * side + i] = from >= 0 && from < side ? 1 : 0;
        }
        return (tensor(source).Upload(device), reflect ? null : tensor(inside).Upload(device));
    }
}

internal sealed record HorizontalFlip(double Probability) : Augmentation
{
    private protected override Tensor Transform(Tensor images, RandomSequence[] random)
    {
        var flipped = new bool[images.size(0)];
        for (int i = 0; i < flipped.Length; i++) flipped[i] = random[i].Chance(Probability);
        return flipped.Contains(true) ? where(tensor(flipped, [flipped.Length, 1, 1, 1]).Upload(images.device), images.flip(3), images) : images;
    }
}

/// <summary>How a pixel between pixels is made.</summary>
public enum Interpolation
{
    /// <summary>A triangle over two pixels.</summary>
    Bilinear,

    /// <summary>Cubic convolution over four pixels, a = -0.5, as Pillow and PyTorch (antialias) resize.</summary>
    Bicubic,
}

/// <summary>Overwrites a random box of some of the images.</summary>
internal sealed record RandomErasing(
    double Probability, (double Min, double Max) Scale, (double Min, double Max) Ratio, ErasingFill Fill, ImagePreprocessing? Preprocessing)
    : Augmentation
{
    private protected override Tensor Transform(Tensor images, RandomSequence[] random)
    {
        (int batch, int channels, int height, int width) = ((int)images.size(0), (int)images.size(1), (int)images.size(2), (int)images.size(3));
        var boxes = new CropBox[batch];   // of no pixel where an image is left alone
        for (int i = 0; i < batch; i++)
            if (random[i].Chance(Probability)) boxes[i] = CropBox.ForErasing(random[i], height, width, Scale, Ratio) ?? default;
        int pixels = boxes.Sum(b => b.Height * b.Width);
        if (pixels == 0) return images;

        Tensor Edge(Func<CropBox, int> of) => tensor(Array.ConvertAll(boxes, b => (float)of(b)), [batch, 1, 1, 1]).Upload(images.device);
        Tensor row = TensorArithmetic.Range(height, ScalarType.Float32, images.device).reshape(1, 1, height, 1);
        Tensor column = TensorArithmetic.Range(width, ScalarType.Float32, images.device).reshape(1, 1, 1, width);
        Tensor rows = row.ge(Edge(b => b.Top)).logical_and_(row.lt(Edge(b => b.Top + b.Height)));
        Tensor erased = rows.logical_and(column.ge(Edge(b => b.Left)).logical_and_(column.lt(Edge(b => b.Left + b.Width))));
        if (Fill == ErasingFill.Zero) return images.Masked(erased, 0);
        return images.masked_scatter(erased.expand(batch, channels, height, width), Noise(random, boxes, channels, images.device));
    }

    /// <summary>Noise for the boxes, image by image and channel by channel.</summary>
    private Tensor Noise(RandomSequence[] random, CropBox[] boxes, int channels, Device device)
    {
        ImagePreprocessing statistics = Preprocessing ?? new ImagePreprocessing { Height = 1, Width = 1, Channels = channels };
        if (statistics.Channels != channels)
            throw new ArgumentException(
                $"The images have {channels} channels and the preprocessing of the noise {statistics.Channels}: expected as many.", nameof(channels));
        var noise = new float[boxes.Sum(b => b.Height * b.Width) * channels];
        int at = 0;
        for (int i = 0; i < boxes.Length; i++)
        {
            CropBox box = boxes[i];
            random[i].FillNormal(noise.AsSpan(at, box.Height * box.Width * channels));
            for (int channel = 0; channel < channels; channel++)
                foreach (ref float value in noise.AsSpan(at, box.Height * box.Width))
                {
                    value = statistics.Mean[channel] + statistics.StandardDeviation[channel] * value;
                    at++;
                }
        }
        return tensor(noise).Upload(device);
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
