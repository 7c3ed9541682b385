namespace Microsoft.ML.Data;

/// <summary>The geometry of resizing: which rectangle the whole picture is drawn into.</summary>
/// <remarks>Single precision and cutting to integers are the original's: near a whole number a column may stay empty, there as here.</remarks>
internal static class ImageResizer
{
    public static PixelBuffer Resize(PixelBuffer source, int width, int height, ImageResizeMode mode) => mode switch
    {
        ImageResizeMode.Fill => NearestSampling.Resize(source, width, height),
        ImageResizeMode.Pad => Pad(source, width, height),
        _ => Crop(source, width, height, mode),
    };

    private static PixelBuffer Pad(PixelBuffer source, int width, int height)
    {
        float widthAspect = (float)width / source.Width;
        float heightAspect = (float)height / source.Height;
        return heightAspect < widthAspect
            ? Draw(source, width, height, heightAspect, left: (int)((width - (source.Width * heightAspect)) / 2), top: 0)
            : Draw(source, width, height, widthAspect, left: 0, top: (int)((height - (source.Height * widthAspect)) / 2));
    }

    private static PixelBuffer Crop(PixelBuffer source, int width, int height, ImageResizeMode mode)
    {
        float widthAspect = (float)width / source.Width;
        float heightAspect = (float)height / source.Height;
        if (heightAspect < widthAspect)
        {
            float excess = height - (source.Height * widthAspect);
            int top = mode switch
            {
                ImageResizeMode.CropAnchorTop => 0,
                ImageResizeMode.CropAnchorBottom => (int)excess,
                _ => (int)(excess / 2),
            };
            return Draw(source, width, height, widthAspect, left: 0, top);
        }
        else
        {
            float excess = width - (source.Width * heightAspect);
            int left = mode switch
            {
                ImageResizeMode.CropAnchorLeft => 0,
                ImageResizeMode.CropAnchorRight => (int)excess,
                _ => (int)(excess / 2),
            };
            return Draw(source, width, height, heightAspect, left, top: 0);
        }
    }

    private static PixelBuffer Draw(PixelBuffer source, int width, int height, float aspect, int left, int top)
    {
        PixelBuffer target = PixelBuffer.Create(width, height, PixelBuffer.PlatformFormat, isOpaque: true);
        HighQualitySampling.Draw(source, target, left, top, (int)(source.Width * aspect), (int)(source.Height * aspect));
        return target;
    }
}
