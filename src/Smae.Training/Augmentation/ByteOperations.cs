namespace Smae.Training;

/// <summary>
/// The operations of RandAugment on images of bytes (whole numbers 0 to 255, held as float32), with torchvision's arithmetic on uint8 tensors, which
/// cuts fractions off.
/// </summary>
internal static class ByteOperations
{
    private const int Numbers = 6, Values = 256;

    public static Tensor FromUnit(Tensor images) => images.Times(255).round_().ClampInPlace(0, 255);

    /// <summary>Does to each image what was drawn for it.</summary>
    /// <param name="affine">Moves the pixels of images by maps, <c>[images, 6]</c>.</param>
    public static Tensor Apply(Tensor bytes, DrawnOperation[] drawn, Func<Tensor, Tensor, Tensor> affine)
    {
        var numbers = new float[drawn.Length * Numbers];
        for (int i = 0; i < drawn.Length; i++)
        for (int j = 0; j < drawn[i].Numbers.Length; j++) numbers[i * Numbers + j] = (float)drawn[i].Numbers[j];
        return ImageGroups.Apply(bytes, Array.ConvertAll(drawn, d => (int)d.Operation), numbers, (operation, group, parameters) =>
            (ImageOperation)operation == ImageOperation.Affine ? affine(group, parameters) : Apply((ImageOperation)operation, group, parameters));
    }

    private static Tensor Apply(ImageOperation operation, Tensor bytes, Tensor numbers) => operation switch
    {
        ImageOperation.Brightness => ColorOperations.Brightness(bytes, numbers, 255).floor_(),
        ImageOperation.Color => bytes.size(1) == 1 ? bytes : Blend(bytes, Grey(bytes), numbers),
        ImageOperation.Contrast => ColorOperations.Contrast(bytes, Grey(bytes), numbers, 255).floor_(),
        ImageOperation.Sharpness => Math.Min(bytes.size(2), bytes.size(3)) <= 2 ? bytes : Blend(bytes, Smoothed(bytes), numbers),
        ImageOperation.Posterize => Posterized(bytes, ColorOperations.Column(numbers, 0)),
        ImageOperation.Solarize => where(bytes.ge(ColorOperations.Column(numbers, 0)), bytes.SubtractedFrom(255), bytes),
        ImageOperation.SolarizeAdd => where(bytes.IsBelow(Values / 2), bytes.Plus(ColorOperations.Column(numbers, 0)).ClampInPlace(0, 255), bytes),
        ImageOperation.Invert => bytes.SubtractedFrom(255),
        ImageOperation.AutoContrast => Stretched(bytes),
        ImageOperation.Equalize => Equalized(bytes),
        _ => throw new ArgumentOutOfRangeException(nameof(operation), operation, "Not an operation on bytes."),
    };

    private static Tensor Grey(Tensor bytes) => bytes.size(1) == 1 ? bytes : ColorOperations.Grey(bytes).floor_();

    private static Tensor Blend(Tensor bytes, Tensor other, Tensor factors) => ColorOperations.Blend(bytes, other, factors, 255).floor_();

    private static Tensor Posterized(Tensor bytes, Tensor bits)
    {
        Tensor step = bits.SubtractedFrom(8).MultiplyInPlace(Math.Log(2)).exp_().round_();
        return (bytes / step).floor_().mul_(step);
    }

    /// <summary>Each pixel but those at the edge as the mean of its 3x3 neighbours, itself counted five times.</summary>
    private static Tensor Smoothed(Tensor bytes)
    {
        (long height, long width) = (bytes.size(2) - 2, bytes.size(3) - 2);
        Tensor rows = bytes.narrow(2, 0, height).Plus(bytes.narrow(2, 1, height)).Plus(bytes.narrow(2, 2, height));
        Tensor sum = rows.narrow(3, 0, width).Plus(rows.narrow(3, 1, width)).Plus(rows.narrow(3, 2, width));
        Tensor result = bytes.clone(), inner = result.narrow(2, 1, height).narrow(3, 1, width);
        inner.copy_(sum.AddInPlace(inner.Times(4)).DivideInPlace(13).round_());
        return result;
    }

    private static Tensor Stretched(Tensor bytes)
    {
        Tensor low = bytes.amin([2, 3], keepdim: true), range = bytes.amax([2, 3], keepdim: true) - low, flat = range.IsEqualTo(0);
        Tensor scale = where(flat, range.ones_like(), range.reciprocal().MultiplyInPlace(255));   // Python's 255 / range is this product
        return (bytes - low.Masked(flat, 0)).mul_(scale).ClampInPlace(0, 255).floor_();
    }

    private static Tensor Equalized(Tensor bytes)
    {
        long pixels = bytes.size(2) * bytes.size(3);
        Tensor values = bytes.reshape(-1, pixels), index = values.to_type(ScalarType.Int64);
        Tensor counts = zeros(values.size(0), Values, ScalarType.Float32, bytes.device).scatter_add_(1, index, values.ones_like());
        Tensor brightest = counts.gather(1, index.amax([1], keepdim: true));
        // 0 where fewer than 255 pixels are below the brightest: these stay.
        Tensor step = brightest.SubtractedFrom(pixels).DividedBy(255, RoundingMode.floor);
        Tensor below = counts.cumsum(1).sub_(counts);
        Tensor table = below.AddInPlace(step.DividedBy(2, RoundingMode.floor)).div(step.AtLeast(1), RoundingMode.floor).ClampInPlace(0, 255);
        return where(step.IsAbove(0), table.gather(1, index), values).reshape(bytes.shape);
    }
}

/// <summary>Does to each image of a batch an operation of its own, each operation once for all images that have it.</summary>
internal static class ImageGroups
{
    public const int None = -1;   // the operation that leaves an image as it is

    /// <param name="images">The batch; left as it is, and given back if nothing is done.</param>
    /// <param name="apply">Does an operation to images, with their numbers <c>[images, count]</c>; gives images of the same shape.</param>
    public static Tensor Apply(Tensor images, int[] operations, float[] parameters, Func<int, Tensor, Tensor, Tensor> apply)
    {
        int[] order = [.. Enumerable.Range(0, operations.Length).Where(i => operations[i] != None).OrderBy(i => operations[i])];
        if (order.Length == 0) return images;
        int count = parameters.Length / operations.Length;
        Tensor places = tensor(Array.ConvertAll(order, i => (long)i)).Upload(images.device);
        Tensor numbers = tensor(parameters, [operations.Length, count]).Upload(images.device).index_select(0, places);
        Tensor? result = null;
        for (int from = 0, to; from < order.Length; from = to)
        {
            int operation = operations[order[from]];
            for (to = from + 1; to < order.Length && operations[order[to]] == operation;) to++;
            if (to - from == operations.Length) return apply(operation, images, numbers);
            using DisposeScope scope = NewDisposeScope();
            Tensor group = places.narrow(0, from, to - from);
            result ??= images.clone().MoveToOuterDisposeScope();
            result.index_copy_(0, group, apply(operation, images.index_select(0, group), numbers.narrow(0, from, to - from)));
        }
        return result!;
    }
}
