using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Smae.MLNet;

/// <summary>Finds and checks the column of images, with the errors that ML.NET's own components give.</summary>
internal static class ImageColumn
{
    private const string Expected = "Image, Text (path of an image file) or Vector<Byte> (bytes of an image file)";

    /// <summary>The column <paramref name="name"/> of <paramref name="inputSchema"/> and what it holds.</summary>
    /// <param name="inputSchema">The schema.</param>
    /// <param name="name">The column.</param>
    /// <param name="role">What it is to the component that asks, for errors.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public static (DataViewSchema.Column Column, ImageColumnKind Kind) Find(DataViewSchema inputSchema, string name, string role = "input")
    {
        var column = inputSchema.GetColumnOrNull(name) ?? throw SchemaErrors.Missing(role, name, inputSchema.Select(column => column.Name));
        var kind = column.Type switch
        {
            ImageDataViewType => ImageColumnKind.Image,
            TextDataViewType => ImageColumnKind.Path,
            VectorDataViewType { ItemType: var item } when item.Equals(NumberDataViewType.Byte) => ImageColumnKind.Bytes,
            _ => throw SchemaErrors.Mismatch(role, name, Expected, column.Type.ToString()!),
        };
        return (column, kind);
    }

    /// <summary>Checks what is known of the column before there is data.</summary>
    /// <param name="inputSchema">The schema's shape.</param>
    /// <param name="name">The column.</param>
    /// <param name="role">What it is to the component that asks, for errors.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public static void Check(SchemaShape inputSchema, string name, string role = "input")
    {
        var column = inputSchema.FirstOrDefault(column => column.Name == name);
        if (column.Name is null)
            throw SchemaErrors.Missing(role, name, inputSchema.Select(column => column.Name));

        bool scalar = column.Kind == SchemaShape.Column.VectorKind.Scalar;
        bool fits = scalar
            ? column.ItemType is ImageDataViewType or TextDataViewType
            : column.ItemType.Equals(NumberDataViewType.Byte);
        if (!fits || column.IsKey)
            throw SchemaErrors.Mismatch(role, name, Expected, SchemaErrors.Describe(column));
    }
}
