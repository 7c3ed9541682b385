using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Cuts a random box out of each image and resizes it, to the image's size unless another is given.</summary>
internal sealed record RandomResizedCrop : Augmentation
{
    public RandomResizedCrop(double minScale, double maxScale, double minRatio, double maxRatio, Interpolation interpolation)
    {
        CheckRange(minScale, maxScale, 1);
        CheckRange(minRatio, maxRatio, double.MaxValue);
        (Scale, Ratio, Interpolation) = ((minScale, maxScale), (minRatio, maxRatio), interpolation);
    }

    public (double Min, double Max) Scale { get; }

    public (double Min, double Max) Ratio { get; }

    public Interpolation Interpolation { get; }

    /// <summary>What boxes are resized to, in pixels; null is the size of the images.</summary>
    public (int Height, int Width)? Size { get; init; }

    /// <summary>Resizes a box of each image.</summary>
    /// <param name="images">The images.</param>
    /// <param name="boxes">A box for each.</param>
    /// <param name="interpolation">How pixels are interpolated.</param>
    /// <param name="size">Height and width in pixels; null is the size of the images.</param>
    internal static Tensor Resize(Tensor images, ReadOnlySpan<CropBox> boxes, Interpolation interpolation, (int Height, int Width)? size = null)
    {
        (long height, long width) = size ?? ((int)images.size(2), (int)images.size(3));
        float[] tops = new float[boxes.Length], lefts = new float[boxes.Length], heights = new float[boxes.Length], widths = new float[boxes.Length];
        for (int i = 0; i < boxes.Length; i++)
            (tops[i], lefts[i], heights[i], widths[i]) = (boxes[i].Top, boxes[i].Left, boxes[i].Height, boxes[i].Width);
        Tensor vertical = SeparableFilter.ResizeWeights(tops, heights, images.size(2), height, interpolation, images.device);
        Tensor horizontal = SeparableFilter.ResizeWeights(lefts, widths, images.size(3), width, interpolation, images.device);
        return SeparableFilter.Apply(images, vertical, horizontal).clamp_(0, 1);
    }

    private protected override Tensor Transform(Tensor images, RandomSequence random)
    {
        var boxes = new CropBox[images.size(0)];
        for (int i = 0; i < boxes.Length; i++) boxes[i] = CropBox.ForResizedCrop(random, (int)images.size(2), (int)images.size(3), Scale, Ratio);
        return Resize(images, boxes, Interpolation, Size);
    }
}
