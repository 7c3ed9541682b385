using Microsoft.ML;
using Microsoft.ML.Data;

namespace Smae.MLNet;

/// <summary>Finds and checks the label column of training data, with the errors that ML.NET's own trainers give.</summary>
internal static class LabelColumn
{
    private const string Role = "label", Expected = "Key<UInt32>";

    // Keys that hashing makes count in the billions; nobody has so many classes.
    private const ulong MostClasses = 1 << 20;

    /// <summary>The column <paramref name="name"/> of <paramref name="schema"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it is no key.</exception>
    public static DataViewSchema.Column Find(DataViewSchema schema, string name)
    {
        var column = schema.GetColumnOrNull(name) ?? throw SchemaErrors.Missing(Role, name, schema.Select(column => column.Name));
        return column.Type is KeyDataViewType { Count: <= MostClasses } && column.Type.RawType == typeof(uint)
            ? column
            : throw SchemaErrors.Mismatch(Role, name, Expected, column.Type.ToString()!, Advice(name));
    }

    /// <summary>The same before there is data.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it is no key.</exception>
    public static SchemaShape.Column Find(SchemaShape schema, string name)
    {
        var column = schema.FirstOrDefault(column => column.Name == name);
        if (column.Name is null)
            throw SchemaErrors.Missing(Role, name, schema.Select(column => column.Name));
        bool fits = column.IsKey && column.Kind == SchemaShape.Column.VectorKind.Scalar && column.ItemType.Equals(NumberDataViewType.UInt32);
        return fits ? column : throw SchemaErrors.Mismatch(Role, name, Expected, SchemaErrors.Describe(column), Advice(name));
    }

    private static string Advice(string name) =>
        $"Make keys of the labels first: put mlContext.Transforms.Conversion.MapValueToKey(\"{name}\") before the trainer.";
}
