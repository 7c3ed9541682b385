using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Questions to column types and schemas.</summary>
internal static class ColumnTypeExtensions
{
    public static ulong GetKeyCount(this DataViewType columnType) => (columnType as KeyDataViewType)?.Count ?? 0;

    public static int GetKeyCountAsInt32(this DataViewType columnType, IExceptionContext ectx = null)
    {
        ulong count = columnType.GetKeyCount();
        ectx.Check(count <= int.MaxValue, "The count of the key exceeds int.MaxValue.");
        return (int)count;
    }

    public static DataViewType GetItemType(this DataViewType columnType) => (columnType as VectorDataViewType)?.ItemType ?? columnType;

    public static int GetVectorSize(this DataViewType columnType) => (columnType as VectorDataViewType)?.Size ?? 0;

    public static int GetValueCount(this DataViewType columnType) => (columnType as VectorDataViewType)?.Size ?? 1;

    public static bool IsKnownSizeVector(this DataViewType columnType) => columnType.GetVectorSize() > 0;

    public static bool IsStandardScalar(this DataViewType columnType) =>
        columnType is NumberDataViewType or TextDataViewType or BooleanDataViewType or RowIdDataViewType
            or TimeSpanDataViewType or DateTimeDataViewType or DateTimeOffsetDataViewType;

    /// <summary>Whether both are equal but for the shape of a vector.</summary>
    public static bool SameSizeAndItemType(this DataViewType columnType, DataViewType other) =>
        other != null && (columnType.Equals(other)
            || (columnType is VectorDataViewType a && other is VectorDataViewType b && a.ItemType.Equals(b.ItemType) && a.Size == b.Size));

    public static PrimitiveDataViewType PrimitiveTypeFromType(Type type) =>
        type.TryGetPrimitiveType(out PrimitiveDataViewType primitive)
            ? primitive
            : throw new InvalidOperationException($"{type} is not the raw type of a primitive column type.");

    public static bool TryGetColumnIndex(this DataViewSchema schema, string name, out int col)
    {
        col = schema.GetColumnOrNull(name)?.Index ?? -1;
        return col >= 0;
    }

    public static DataViewSchema MakeSchema(IEnumerable<DataViewSchema.DetachedColumn> columns)
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(columns);
        return builder.ToSchema();
    }

    /// <summary>A name that no column has: the tag itself where it is free.</summary>
    public static string GetTempColumnName(this DataViewSchema schema, string tag)
    {
        string name = tag;
        for (int i = 0; schema.GetColumnOrNull(name) != null; i++)
            name = $"temp_{tag}_{i:000}";
        return name;
    }
}
