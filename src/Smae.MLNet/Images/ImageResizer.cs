using Microsoft.ML.Transforms.Image;

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

/// <summary>A row of one image column, set by hand: it drives ML.NET's image transformers one image at a time.</summary>
internal sealed class SingleImageRow : DataViewRow
{
    /// <summary>The schema that a mapper must be made for to accept these rows: they are compared by reference.</summary>
    public static readonly DataViewSchema SharedSchema = MakeSchema();

    private long _position = -1;
    private MLImage? _image;

    public override DataViewSchema Schema => SharedSchema;

    public override long Position => _position;

    public override long Batch => 0;

    /// <summary>Makes <paramref name="image"/>, which stays the caller's, the content of the row.</summary>
    public void Set(MLImage image)
    {
        _image = image;
        _position++;
    }

    public override bool IsColumnActive(DataViewSchema.Column column) => column.Index == 0;

    // Unlike the getters of ML.NET's loaders it disposes nothing: the images are the caller's.
    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) =>
        (ValueGetter<TValue>)(Delegate)(ValueGetter<MLImage>)((ref MLImage value) => value = _image!);

    public override ValueGetter<DataViewRowId> GetIdGetter() =>
        (ref DataViewRowId value) => value = new DataViewRowId((ulong)_position, 0);

    private static DataViewSchema MakeSchema()
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumn("Image", new ImageDataViewType());
        return builder.ToSchema();
    }
}
