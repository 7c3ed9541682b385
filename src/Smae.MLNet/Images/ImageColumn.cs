using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace Smae.MLNet;

/// <summary>Finds and checks the input column of images, with the errors that ML.NET's own components give.</summary>
internal static class ImageColumn
{
    private const string Expected = "Image, Text (path of an image file) or Vector<Byte> (bytes of an image file)";

    // The name of the parameter in every ML.NET signature that ends up here.
    private const string Parameter = "inputSchema";

    /// <summary>The column <paramref name="name"/> of <paramref name="inputSchema"/> and what it holds.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public static (DataViewSchema.Column Column, ImageColumnKind Kind) Find(DataViewSchema inputSchema, string name)
    {
        var column = inputSchema.GetColumnOrNull(name) ?? throw Missing(name);
        var kind = column.Type switch
        {
            ImageDataViewType => ImageColumnKind.Image,
            TextDataViewType => ImageColumnKind.Path,
            VectorDataViewType { ItemType: var item } when item.Equals(NumberDataViewType.Byte) => ImageColumnKind.Bytes,
            _ => throw Mismatch(name, column.Type.ToString()!),
        };
        return (column, kind);
    }

    /// <summary>Checks what is known of the column before there is data.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public static void Check(SchemaShape inputSchema, string name)
    {
        var column = inputSchema.FirstOrDefault(column => column.Name == name);
        if (column.Name is null)
            throw Missing(name);

        bool scalar = column.Kind == SchemaShape.Column.VectorKind.Scalar;
        bool fits = scalar
            ? column.ItemType is ImageDataViewType or TextDataViewType
            : column.ItemType.Equals(NumberDataViewType.Byte);
        if (!fits || column.IsKey)
            throw Mismatch(name, Describe(column));
    }

    private static ArgumentOutOfRangeException Missing(string name) => new(Parameter, $"Could not find input column '{name}'");

    private static ArgumentOutOfRangeException Mismatch(string name, string found) =>
        new(Parameter, $"Schema mismatch for input column '{name}': expected {Expected}, got {found}");

    private static string Describe(SchemaShape.Column column)
    {
        string item = column.IsKey ? $"Key<{column.ItemType}>" : column.ItemType.ToString()!;
        return column.Kind switch
        {
            SchemaShape.Column.VectorKind.Vector => $"Vector<{item}>",
            SchemaShape.Column.VectorKind.VariableVector => $"VarVector<{item}>",
            _ => item,
        };
    }
}
