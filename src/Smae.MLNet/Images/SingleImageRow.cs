using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Smae.MLNet;

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
