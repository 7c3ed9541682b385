using System.Collections;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>What is known of a schema before there is data.</summary>
public sealed partial class SchemaShape : IReadOnlyList<SchemaShape.Column>
{
    private static readonly SchemaShape Nothing = new([]);

    private readonly Column[] _columns;

    public SchemaShape(IEnumerable<Column> columns)
    {
        Contracts.CheckValue(columns, nameof(columns));
        _columns = [.. columns];
        Contracts.CheckParam(_columns.All(c => c.IsValid), nameof(columns), "A column is not initialized.");
    }

    public int Count => _columns.Length;

    public Column this[int index] => _columns[index];

    public IEnumerator<Column> GetEnumerator() => ((IEnumerable<Column>)_columns).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The shape of the visible columns, with the shapes of their annotations.</summary>
    internal static SchemaShape Create(DataViewSchema schema)
    {
        Contracts.CheckValue(schema, nameof(schema));
        return new SchemaShape(schema.Where(c => !c.IsHidden).Select(c => ShapeOf(c, AnnotationsOf(c))));

        static SchemaShape AnnotationsOf(DataViewSchema.Column column) =>
            new(column.Annotations.Schema.Select(annotation => ShapeOf(annotation, null)));
    }

    internal static void GetColumnTypeShape(DataViewType type, out Column.VectorKind vecKind, out DataViewType itemType, out bool isKey)
    {
        var vector = type as VectorDataViewType;
        vecKind = vector == null ? Column.VectorKind.Scalar : vector.IsKnownSize ? Column.VectorKind.Vector : Column.VectorKind.VariableVector;
        itemType = vector?.ItemType ?? type;
        isKey = itemType is KeyDataViewType;
        if (isKey)
            itemType = ColumnTypeExtensions.PrimitiveTypeFromType(itemType.RawType);
    }

    internal bool TryFindColumn(string name, out Column column)
    {
        Contracts.CheckValue(name, nameof(name));
        column = _columns.FirstOrDefault(c => c.Name == name);
        return column.IsValid;
    }

    /// <summary>This shape with some columns added, in place of those of the same names.</summary>
    internal SchemaShape With(params IEnumerable<Column> added)
    {
        Dictionary<string, Column> columns = this.ToDictionary(c => c.Name);
        foreach (Column column in added)
            columns[column.Name] = column;
        return new SchemaShape(columns.Values);
    }

    private static Column ShapeOf(DataViewSchema.Column column, SchemaShape annotations)
    {
        GetColumnTypeShape(column.Type, out Column.VectorKind kind, out DataViewType itemType, out bool isKey);
        return new Column(column.Name, kind, itemType, isKey, annotations);
    }
}
