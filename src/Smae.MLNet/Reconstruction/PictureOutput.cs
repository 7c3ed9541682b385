using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Smae.MLNet;

/// <summary>Bytes of pixels as an image, null where the row's own image could not be read.</summary>
/// <param name="name">The column.</param>
/// <param name="height">Height in pixels.</param>
/// <param name="width">Width in pixels.</param>
/// <param name="channels">Numbers of a pixel: 1 (grey), 3 (red, green, blue) or 4, of which the last is left out.</param>
internal sealed class PictureOutput(string name, int height, int width, int channels) : OutputColumn(name, new ImageDataViewType(height, width))
{
    public override ValueGetter<TValue> Getter<TValue>(DataViewSchema.Column column, RowScores scores) =>
        ColumnAccess.Cast<TValue, MLImage>(column, (ref MLImage value) =>
        {
            var numbers = scores();
            // As ML.NET's own getters of images do: who keeps a reference and hands it back has the old image freed with the new.
            value?.Dispose();
            value = float.IsNaN(numbers[0]) ? null! : Draw(numbers);
        });

    private MLImage Draw(ReadOnlySpan<float> numbers)
    {
        byte[] pixels = new byte[height * width * 4];
        for (int i = 0; i < height * width; i++)
        {
            var from = numbers.Slice(i * channels, channels);
            for (int c = 0; c < 3; c++)
                pixels[4 * i + c] = (byte)from[channels >= 3 ? c : 0];
            pixels[4 * i + 3] = byte.MaxValue;
        }
        return MLImage.CreateFromPixels(width, height, MLPixelFormat.Rgba32, pixels);
    }
}
