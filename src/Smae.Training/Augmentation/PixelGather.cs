using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Moves pixels: each place of the result says from where in its image it is taken.</summary>
internal static class PixelGather
{
    /// <param name="images"><c>[batch, channels, height, width]</c>.</param>
    /// <param name="rows">Row to take from, whole numbers within the image: broadcasts with columns to <c>[batch, height, width]</c>.</param>
    /// <param name="columns">Column to take from, likewise.</param>
    public static Tensor Take(Tensor images, Tensor rows, Tensor columns)
    {
        (long batch, long channels, long height, long width) = (images.size(0), images.size(1), images.size(2), images.size(3));
        Tensor place = (rows * width + columns).to_type(ScalarType.Int64).reshape(batch, 1, height * width).expand(batch, channels, height * width);
        return images.reshape(batch, channels, height * width).gather(2, place).reshape(batch, channels, height, width);
    }
}
