using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// Moves pixels by a linear map of each image. The centre (x, y) of a pixel of the result, the upper left one at (0.5, 0.5), is taken from
/// (a x + b y + c, d x + e y + f), as in Pillow; torchvision's affine and rotate come to the same.
/// </summary>
internal static class AffineSampling
{
    /// <summary>Takes the nearest pixel; what lies outside the image is 0.</summary>
    /// <param name="images">The images.</param>
    /// <param name="maps">a to f of each image, <c>[batch, 6]</c>.</param>
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
    /// <param name="images">The images, bytes as floats.</param>
    /// <param name="maps">a to f of each image, <c>[batch, 6]</c>.</param>
    /// <param name="outside">The colour, <c>[1, channels, 1, 1]</c>.</param>
    /// <returns>Bytes as floats, rounded down.</returns>
    public static Tensor Bicubic(Tensor images, Tensor maps, Tensor outside)
    {
        (long height, long width) = (images.size(2), images.size(3));
        (Tensor x, Tensor y, Tensor inside) = Sources(images, maps);
        (Tensor left, Tensor[] horizontal) = Taps(x);
        (Tensor top, Tensor[] vertical) = Taps(y);
        Tensor[] columns = [.. horizontal.Select((_, j) => Limited(left + j, width))];
        Tensor sum = images.zeros_like();
        for (int i = 0; i < vertical.Length; i++)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor rows = Limited(top + i, height), line = images.zeros_like();
            for (int j = 0; j < columns.Length; j++) line.add_(PixelGather.Take(images, rows, columns[j]).mul_(horizontal[j]));
            sum.add_(line.mul_(vertical[i]));
        }
        return where(inside, sum.clamp_(0, 255).floor_(), outside);
    }

    /// <summary>From where each pixel is taken, <c>[batch, height, width]</c>; whether that is inside, <c>[batch, 1, height, width]</c>.</summary>
    private static (Tensor X, Tensor Y, Tensor Inside) Sources(Tensor images, Tensor maps)
    {
        (long height, long width) = (images.size(2), images.size(3));
        Tensor columns = arange(width, ScalarType.Float32, images.device).add_(0.5).reshape(1, 1, width);
        Tensor rows = arange(height, ScalarType.Float32, images.device).add_(0.5).reshape(1, height, 1);
        Tensor Number(int i) => maps.narrow(1, i, 1).reshape(-1, 1, 1);
        Tensor x = columns * Number(0) + rows * Number(1) + Number(2), y = columns * Number(3) + rows * Number(4) + Number(5);
        Tensor inside = x.ge(0).logical_and_(x.lt(width)).logical_and_(y.ge(0)).logical_and_(y.lt(height));
        return (x, y, inside.unsqueeze(1));
    }

    private static Tensor Limited(Tensor place, long side) => place.clamp(0, side - 1);

    /// <summary>The first of the four pixels around each place and their weights, <c>[batch, 1, height, width]</c> each.</summary>
    private static (Tensor First, Tensor[] Weights) Taps(Tensor place)
    {
        Tensor centred = place - 0.5, whole = centred.floor(), d = (centred - whole).unsqueeze_(1);
        Tensor square = d * d, cube = square * d;
        return (whole - 1, [square * 2 - cube - d, cube - square * 2 + 1, square - cube + d, cube - square]);
    }
}
