namespace Microsoft.ML.Data;

/// <summary>Draws a whole picture into a rectangle as Skia does at high quality.</summary>
/// <remarks>Enlarging is Mitchell's cubic filter; shrinking takes the picture halved as often as possible, then interpolates linearly.</remarks>
internal static class HighQualitySampling
{
    public static void Draw(PixelBuffer source, PixelBuffer target, int left, int top, int width, int height)
    {
        if (width <= 0 || height <= 0)
            return;
        float inverseX = 1f / ((float)width / source.Width);
        float inverseY = 1f / ((float)height / source.Height);
        bool cubic = Math.Min(inverseX, inverseY) <= 1f && Math.Max(inverseX, inverseY) != 1f;
        int level = cubic ? 0 : MipLevel(inverseX, inverseY, source);
        PixelBuffer picture = level == 0 ? source : Mipmap.Build(source, level);
        var columns = FilterTaps.Create(picture.Width, Range(left, width, target.Width), left, inverseX * picture.Width / source.Width, cubic);
        var rows = FilterTaps.Create(picture.Height, Range(top, height, target.Height), top, inverseY * picture.Height / source.Height, cubic);
        SeparableFilter.Apply(picture, target, columns, rows, cubic);
        if (picture != source)
            picture.Dispose();
    }

    /// <summary>How often the picture is halved before it is interpolated.</summary>
    private static int MipLevel(float inverseX, float inverseY, PixelBuffer source)
    {
        float scale = Math.Min(1f / inverseX, 1f / inverseY);
        return scale >= 1f ? 0 : Math.Min((int)MathF.Floor(-MathF.Log2(scale)), int.Log2(Math.Max(source.Width, source.Height)));
    }

    private static (int Start, int End) Range(int start, int length, int limit) => (Math.Max(0, start), Math.Min(limit, start + length));
}
