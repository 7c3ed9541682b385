namespace Smae.Training;

/// <summary>Linear filters along rows and columns as two batched matrix products, each image with weights of its own.</summary>
internal static class SeparableFilter
{
    private const int BlurReach = 4;   // deviations: what lies further off is 0.006% of a Gaussian

    /// <param name="images"><c>[batch, channels, height, width]</c>.</param>
    /// <param name="vertical"><c>[batch, out, height]</c>: what each row in makes of each row out.</param>
    /// <param name="horizontal"><c>[batch, out, width]</c>: the same of columns.</param>
    public static Tensor Apply(Tensor images, Tensor vertical, Tensor horizontal)
    {
        (long batch, long channels, long height) = (images.size(0), images.size(1), images.size(2));
        (long outHeight, long outWidth) = (vertical.size(1), horizontal.size(1));
        Tensor rows = images.reshape(batch, channels * height, -1).bmm(horizontal.transpose(1, 2));
        Tensor columns = rows.reshape(batch, channels, height, outWidth).transpose(1, 2).reshape(batch, height, channels * outWidth);
        return vertical.bmm(columns).reshape(batch, outHeight, channels, outWidth).transpose(1, 2);
    }

    /// <summary>
    /// Weights that resize a stretch of each image, as Pillow and PyTorch (antialias) do: the filter knows no pixel outside the stretch, it is wider
    /// where the stretch is longer than what it becomes, and its weights sum to 1.
    /// </summary>
    /// <param name="starts">First pixel of each image's stretch.</param>
    /// <param name="newSide">Pixels that each stretch becomes.</param>
    /// <returns><c>[batch, newSide, side]</c>.</returns>
    public static Tensor ResizeWeights(float[] starts, float[] lengths, long side, long newSide, Interpolation interpolation, Device device)
    {
        long batch = starts.Length;
        Tensor start = tensor(starts, [batch, 1, 1]).Upload(device), length = tensor(lengths, [batch, 1, 1]).Upload(device);
        Tensor pixel = TensorArithmetic.Range(side, ScalarType.Float32, device), newPixel = TensorArithmetic.Range(newSide, ScalarType.Float32, device);
        Tensor center = newPixel.reshape(1, newSide, 1).Plus(0.5).mul(length.DividedBy(newSide)), from = pixel.reshape(1, 1, side) - start;
        Tensor distance = (from.Plus(0.5) - center).abs_();
        if (lengths.Any(l => l > newSide)) distance.div_(length.DividedBy(newSide).AtLeast(1));
        Tensor inside = from.IsAtLeast(0).logical_and_(from.lt(length)).to_type(ScalarType.Float32);
        Tensor weights = (interpolation == Interpolation.Bilinear ? distance.SubtractedFrom(1).AtLeast(0) : Cubic(distance)).mul_(inside);
        return weights.div_(weights.sum(2, keepdim: true));
    }

    /// <summary>Weights of a Gaussian blur that repeats the edge pixels.</summary>
    /// <param name="deviation">Of each image's Gaussian, in pixels, above 0: <c>[batch, 1, 1]</c>.</param>
    /// <returns><c>[batch, side, side]</c>.</returns>
    public static Tensor BlurWeights(Tensor deviation, double maxDeviation, long side)
    {
        int reach = (int)Math.Ceiling(BlurReach * maxDeviation);
        Tensor from = TensorArithmetic.Range(-reach, side + reach, ScalarType.Float32, deviation.device).reshape(1, 1, -1);
        Tensor to = TensorArithmetic.Range(side, ScalarType.Float32, deviation.device).reshape(1, side, 1);
        Tensor weights = (from - to).div(deviation).Squared().MultiplyInPlace(-0.5).exp_();
        weights = weights / weights.sum(2, keepdim: true);
        Tensor within = weights.narrow(2, reach, side).clone();
        within.narrow(2, 0, 1).AddInPlace(weights.narrow(2, 0, reach).sum(2, keepdim: true));
        within.narrow(2, side - 1, 1).AddInPlace(weights.narrow(2, reach + side, reach).sum(2, keepdim: true));
        return within;
    }

    /// <summary>The cubic convolution kernel with a = -0.5 (Keys 1981) at distances of 0 and more.</summary>
    private static Tensor Cubic(Tensor distance)
    {
        Tensor near = distance.Times(1.5).SubtractInPlace(2.5).mul_(distance).mul_(distance).AddInPlace(1);
        Tensor far = distance.Times(-0.5).AddInPlace(2.5).mul_(distance).SubtractInPlace(4).mul_(distance).AddInPlace(2);
        return where(distance.IsBelow(1), near, far.mul_(distance.IsBelow(2).to_type(ScalarType.Float32)));
    }
}

/// <summary>
/// Moves pixels by a linear map of each image. The centre (x, y) of a pixel of the result, the upper left one at (0.5, 0.5), is taken from
/// (a x + b y + c, d x + e y + f), as in Pillow; torchvision's affine and rotate come to the same.
/// </summary>
internal static class AffineSampling
{
    /// <summary>Takes the nearest pixel; what lies outside the image is 0.</summary>
    public static Tensor Nearest(Tensor images, Tensor maps)
    {
        (Tensor x, Tensor y, Tensor inside) = Sources(images, maps);
        Tensor moved = PixelGather.Take(images, Limited(y.floor_(), images.size(2)), Limited(x.floor_(), images.size(3)));
        return moved.mul_(inside.to_type(ScalarType.Float32));
    }

    /// <summary>
    /// Interpolates by cubic convolution as Pillow does where it transforms (a = -1, unlike where it resizes), edge pixels repeated; what lies
    /// outside the image gets a colour.
    /// </summary>
    public static Tensor Bicubic(Tensor images, Tensor maps, Tensor outside)
    {
        (long height, long width) = (images.size(2), images.size(3));
        (Tensor x, Tensor y, Tensor inside) = Sources(images, maps);
        (Tensor left, Tensor[] horizontal) = Taps(x);
        (Tensor top, Tensor[] vertical) = Taps(y);
        Tensor[] columns = [.. horizontal.Select((_, j) => Limited(left.Plus(j), width))];
        Tensor sum = images.zeros_like();
        for (int i = 0; i < vertical.Length; i++)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor rows = Limited(top.Plus(i), height), line = images.zeros_like();
            for (int j = 0; j < columns.Length; j++) line.AddInPlace(PixelGather.Take(images, rows, columns[j]).mul_(horizontal[j]));
            sum.AddInPlace(line.mul_(vertical[i]));
        }
        return where(inside, sum.ClampInPlace(0, 255).floor_(), outside);
    }

    /// <summary>From where each pixel is taken, <c>[batch, height, width]</c>; whether that is inside, <c>[batch, 1, height, width]</c>.</summary>
    private static (Tensor X, Tensor Y, Tensor Inside) Sources(Tensor images, Tensor maps)
    {
        (long height, long width) = (images.size(2), images.size(3));
        Tensor columns = TensorArithmetic.Range(width, ScalarType.Float32, images.device).AddInPlace(0.5).reshape(1, 1, width);
        Tensor rows = TensorArithmetic.Range(height, ScalarType.Float32, images.device).AddInPlace(0.5).reshape(1, height, 1);
        Tensor Number(int i) => maps.narrow(1, i, 1).reshape(-1, 1, 1);
        Tensor Mapped(int row) => (columns * Number(row)).Plus(rows * Number(row + 1)).Plus(Number(row + 2));
        Tensor x = Mapped(0), y = Mapped(3);
        Tensor inside = x.IsAtLeast(0).logical_and_(x.IsBelow(width)).logical_and_(y.IsAtLeast(0)).logical_and_(y.IsBelow(height));
        return (x, y, inside.unsqueeze(1));
    }

    private static Tensor Limited(Tensor place, long side) => place.Clamped(0, side - 1);

    /// <summary>The first of the four pixels around each place and their weights, <c>[batch, 1, height, width]</c> each.</summary>
    private static (Tensor First, Tensor[] Weights) Taps(Tensor place)
    {
        Tensor centred = place.Minus(0.5), whole = centred.floor(), d = (centred - whole).unsqueeze_(1);
        Tensor square = d * d, cube = square * d;
        return (whole.Minus(1), [square.Times(2) - cube - d, (cube - square.Times(2)).Plus(1), (square - cube).Plus(d), cube - square]);
    }
}

internal static class PixelGather
{
    /// <summary>Moves pixels: each place of the result says from where in its image it is taken.</summary>
    /// <param name="rows">Row to take from, whole numbers within the image: broadcasts with columns to <c>[batch, height, width]</c>.</param>
    public static Tensor Take(Tensor images, Tensor rows, Tensor columns)
    {
        (long batch, long channels, long height, long width) = (images.size(0), images.size(1), images.size(2), images.size(3));
        Tensor place = rows.Times(width).Plus(columns).to_type(ScalarType.Int64).reshape(batch, 1, height * width).expand(batch, channels, height * width);
        return images.reshape(batch, channels, height * width).gather(2, place).reshape(batch, channels, height, width);
    }
}

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
