namespace Smae.Training;

/// <summary>An operation drawn for an image, with its numbers.</summary>
internal readonly record struct DrawnOperation(ImageOperation Operation, params double[] Numbers)
{
    public static DrawnOperation None => new(ImageOperation.None);

    /// <summary>Shear along the rows about the upper left corner: a pixel is taken from x + factor * y.</summary>
    public static DrawnOperation ShearX(double factor) => new(ImageOperation.Affine, 1, factor, 0, 0, 1, 0);

    /// <summary>Shear along the columns about the upper left corner: a pixel is taken from y + factor * x.</summary>
    public static DrawnOperation ShearY(double factor) => new(ImageOperation.Affine, 1, 0, 0, factor, 1, 0);

    /// <summary>The image moves to the right and down by so many pixels.</summary>
    public static DrawnOperation Translate(double x, double y) => new(ImageOperation.Affine, 1, 0, -x, 0, 1, -y);

    /// <summary>The image turns counter-clockwise about its centre.</summary>
    public static DrawnOperation Rotate(double degrees, int height, int width)
    {
        (double sine, double cosine) = Math.SinCos(degrees * Math.PI / 180);
        (double x, double y) = (width / 2.0, height / 2.0);
        return new(ImageOperation.Affine, cosine, -sine, x - cosine * x + sine * y, sine, cosine, y - sine * x - cosine * y);
    }

    /// <summary>A blend of the image and what its operation says, the image weighing so much.</summary>
    public static DrawnOperation Blend(ImageOperation operation, double factor) => new(operation, factor, 1 - factor);
}
