using Microsoft.ML.Transforms.Image;

namespace Smae.MLNet;

/// <summary>What an image column holds: decoded images (<see cref="MLImage"/>), or paths (text) or contents (vectors of bytes) of image files.</summary>
internal enum ImageColumnKind
{
    Image,
    Path,
    Bytes,
}

/// <summary>Finds and checks the column of images.</summary>
internal static class ImageColumn
{
    private const string Expected = "Image, Text (path of an image file) or Vector<Byte> (bytes of an image file)";

    /// <summary>The column of images that a catalog's method was given: that of the output where it was given none.</summary>
    public static string InputOr(string outputColumnName, string? inputColumnName)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(outputColumnName);
        return inputColumnName ?? outputColumnName;
    }

    /// <summary>The column <paramref name="name"/> of <paramref name="schema"/> and what it holds.</summary>
    /// <param name="role">What it is to the component that asks, for errors.</param>
    public static (DataViewSchema.Column Column, ImageColumnKind Kind) Find(DataViewSchema schema, string name, string role = "input")
    {
        var column = new NeededColumn(role, Expected).Find(schema, name, column => KindOf(column.Type) is not null);
        return (column, KindOf(column.Type)!.Value);
    }

    /// <summary>Checks what is known of the column before there is data.</summary>
    public static void Check(SchemaShape schema, string name, string role = "input") =>
        new NeededColumn(role, Expected).Find(schema, name, column => !column.IsKey && (column.Kind == SchemaShape.Column.VectorKind.Scalar
            ? column.ItemType is ImageDataViewType or TextDataViewType : column.ItemType.Equals(NumberDataViewType.Byte)));

    private static ImageColumnKind? KindOf(DataViewType type) => type switch
    {
        ImageDataViewType => ImageColumnKind.Image,
        TextDataViewType => ImageColumnKind.Path,
        VectorDataViewType { ItemType: var item } when item.Equals(NumberDataViewType.Byte) => ImageColumnKind.Bytes,
        _ => null,
    };
}

/// <summary>Reads the images of a row, wherever it then stands, as the column holds them: nothing is decoded.</summary>
internal sealed class ImageReader(DataViewRow row, DataViewSchema.Column column, ImageColumnKind kind)
{
    private readonly ValueGetter<ReadOnlyMemory<char>>? _paths = kind == ImageColumnKind.Path ? row.GetGetter<ReadOnlyMemory<char>>(column) : null;
    private readonly ValueGetter<VBuffer<byte>>? _files = kind == ImageColumnKind.Bytes ? row.GetGetter<VBuffer<byte>>(column) : null;
    private readonly ValueGetter<MLImage>? _images = kind == ImageColumnKind.Image ? row.GetGetter<MLImage>(column) : null;

    // Handed back to the getter each time: ML.NET's loaders dispose the image before when they make the next. We dispose none,
    // since an image may just as well be the user's own.
    private MLImage? _image;

    public ImageColumnKind Kind => kind;

    /// <summary>What messages call the row's image where it has no path.</summary>
    public string Name => $"row {row.Position}";

    public string Path()
    {
        ReadOnlyMemory<char> path = default;
        _paths!(ref path);
        return path.ToString();
    }

    /// <summary>The content of the row's file.</summary>
    public void File(ref VBuffer<byte> file) => _files!(ref file);

    /// <summary>The row's image, which holds until the next is read; null if it is missing.</summary>
    public MLImage? Image()
    {
        _images!(ref _image!);
        try
        {
            _ = _image?.Width;
        }
        catch (InvalidOperationException exception)
        {
            throw new InvalidOperationException(
                $"The image of row {row.Position} has been disposed. ML.NET disposes images that are held in memory when a pipeline reads " +
                "them through ExtractPixels, or through ResizeImages to the size they have: read such images from files or bytes instead.",
                exception);
        }
        return _image;
    }
}
