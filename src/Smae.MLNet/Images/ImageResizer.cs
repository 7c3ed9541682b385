using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>
/// ML.NET's own ResizeImages, so that a saved chain of ML.NET's transformers sees the very pixels that training saw. Immutable: threads
/// share one and ask it for a getter each.
/// </summary>
internal sealed class ImageResizer
{
    private const string Resized = "Resized";

    private readonly IRowToRowMapper _mapper;

    public ImageResizer(ImagePreprocessing preprocessing)
    {
        string source = SingleImageRow.SharedSchema[0].Name;
        ITransformer transformer = new MLContext().Transforms
            .ResizeImages(Resized, preprocessing.Width, preprocessing.Height, source, KindOf(preprocessing.Resize))
            .Fit(new SchemaOnlyView(SingleImageRow.SharedSchema));
        _mapper = transformer.GetRowToRowMapper(SingleImageRow.SharedSchema);
    }

    /// <summary>What ML.NET calls a way of resizing.</summary>
    public static ImageResizingEstimator.ResizingKind KindOf(ResizeMode mode) => mode switch
    {
        ResizeMode.Crop => ImageResizingEstimator.ResizingKind.IsoCrop,
        ResizeMode.Pad => ImageResizingEstimator.ResizingKind.IsoPad,
        ResizeMode.Stretch => ImageResizingEstimator.ResizingKind.Fill,
        _ => throw new ArgumentException($"Unknown resize mode {mode}.", nameof(mode)),
    };

    /// <summary>
    /// A getter of the resized image of <paramref name="row"/>. An image of the wanted size comes back itself, any other as a new
    /// image that belongs to the caller.
    /// </summary>
    public ValueGetter<MLImage> GetterFor(SingleImageRow row)
    {
        var column = _mapper.OutputSchema[Resized];
        return _mapper.GetRow(row, [column]).GetGetter<MLImage>(column);
    }
}
