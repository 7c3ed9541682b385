using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Colours as torchvision changes them, on batches of any range of values.</summary>
internal static class ColorOperations
{
    /// <exception cref="ArgumentException">The images are neither grey nor red, green and blue.</exception>
    public static void CheckChannels(Tensor images)
    {
        if (images.size(1) is not (1 or 3))
            throw new ArgumentException($"The images have {images.size(1)} channels: colours need 1 (grey) or 3 (red, green, blue).", nameof(images));
    }

    /// <summary>Luminance, <c>[batch, 1, height, width]</c>: 0.2989 red, 0.587 green, 0.114 blue.</summary>
    public static Tensor Grey(Tensor images) => images.size(1) == 1 ? images
        : images.narrow(1, 0, 1).mul(0.2989).add_(images.narrow(1, 1, 1).mul(0.587)).add_(images.narrow(1, 2, 1).mul(0.114));

    /// <summary>Of each image, so much of itself and the rest of another: below 0 and above <paramref name="bound"/> is cut off.</summary>
    /// <param name="images">The images.</param>
    /// <param name="other">What factor 0 gives; broadcasts to the images.</param>
    /// <param name="factors">Factor and 1 - factor of each image, <c>[batch, 2 or more]</c>; the second is made in double precision.</param>
    /// <param name="bound">The brightest value.</param>
    public static Tensor Blend(Tensor images, Tensor other, Tensor factors, double bound) =>
        (images * Column(factors, 0)).add_(other * Column(factors, 1)).clamp_(0, bound);

    public static Tensor Brightness(Tensor images, Tensor factors, double bound) => (images * Column(factors, 0)).clamp_(0, bound);

    /// <summary>A blend with the mean of the grey image.</summary>
    public static Tensor Contrast(Tensor images, Tensor grey, Tensor factors, double bound) =>
        Blend(images, grey.mean([1, 2, 3], keepdim: true), factors, bound);

    /// <summary>Turns the hue, through hue, saturation and value. Images are 0 to 1; grey ones stay.</summary>
    /// <param name="images">The images.</param>
    /// <param name="turn">Turns of each image, <c>[batch, 1 or more]</c>.</param>
    public static Tensor Hue(Tensor images, Tensor turn)
    {
        if (images.size(1) == 1) return images;
        Tensor value = images.amax([1], keepdim: true), chroma = value - images.amin([1], keepdim: true);
        Tensor divisor = where(chroma.eq(0), chroma.ones_like(), chroma);
        Tensor Below(long channel) => (value - images.narrow(1, channel, 1)).div_(divisor);
        Tensor red = Below(0), green = Below(1), blue = Below(2);
        Tensor sixths = where(red.eq(0), blue - green, where(green.eq(0), (red - blue).add_(2), (green - red).add_(4)));
        Tensor hue = sixths.div(6).add_(Column(turn, 0)).remainder_(1).mul_(6);

        // The inverse in one formula for the three channels: value - chroma * max(0, min(k, 4 - k, 1)), k = (n + hue) mod 6, n = 5, 3, 1.
        Tensor place = hue + tensor(new float[] { 5, 3, 1 }, [1, 3, 1, 1], device: images.device);
        place = place.remainder_(6);
        return value - minimum(place, 4 - place).clamp_(0, 1).mul_(chroma);
    }

    /// <summary>One number of each image, so that it broadcasts: <c>[batch, 1, 1, 1]</c>.</summary>
    public static Tensor Column(Tensor parameters, int column) => parameters.narrow(1, column, 1).reshape(-1, 1, 1, 1);
}
