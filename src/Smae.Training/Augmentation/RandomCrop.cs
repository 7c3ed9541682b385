using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Pads the images and cuts a box of their size out at a random place.</summary>
internal sealed record RandomCrop(int Padding, bool Reflect) : Augmentation
{
    public int Padding { get; } = Within(Padding, 0, int.MaxValue / 4);

    /// <summary>Moves each image by whole pixels, up and left by positive numbers, and pads what becomes empty.</summary>
    internal static Tensor Move(Tensor images, ReadOnlySpan<int> up, ReadOnlySpan<int> left, bool reflect)
    {
        (long batch, long height, long width) = (images.size(0), images.size(2), images.size(3));
        (Tensor rows, Tensor? rowInside) = Sources(up, (int)height, reflect, images.device);
        (Tensor columns, Tensor? columnInside) = Sources(left, (int)width, reflect, images.device);
        Tensor moved = PixelGather.Take(images, rows.reshape(batch, height, 1), columns.reshape(batch, 1, width));
        return reflect ? moved : moved.mul_(rowInside!.reshape(batch, 1, height, 1)).mul_(columnInside!.reshape(batch, 1, 1, width));
    }

    private protected override Tensor Transform(Tensor images, RandomSequence random)
    {
        if (Reflect && Padding >= Math.Min(images.size(2), images.size(3)))
            throw new ArgumentException(
                $"A padding of {Padding} by reflection needs images higher and wider than that: these are {images.size(2)}x{images.size(3)}.",
                nameof(images));
        int[] up = new int[images.size(0)], left = new int[images.size(0)];
        for (int i = 0; i < up.Length; i++) (up[i], left[i]) = (random.Below(2 * Padding + 1) - Padding, random.Below(2 * Padding + 1) - Padding);
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
        return (tensor(source, device: device), reflect ? null : tensor(inside, device: device));
    }
}
