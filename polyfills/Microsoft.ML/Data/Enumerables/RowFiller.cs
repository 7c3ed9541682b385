using Microsoft.ML.Internal.Utilities;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Fills objects from rows of a schema: which columns that takes, and how.</summary>
internal sealed class RowFiller<TRow>
    where TRow : class
{
    private readonly MemberColumn[] _columns;
    private readonly int[] _indices;

    public RowFiller(IHostEnvironment env, DataViewSchema schema, bool ignoreMissingColumns, SchemaDefinition definition)
    {
        IHost host = env.Register("TypedCursorable");
        MemberColumn[] wanted = definition == null
            ? MemberColumn.Create(typeof(TRow), SchemaDefinition.Direction.Write)
            : MemberColumn.Create(typeof(TRow), definition);
        var columns = new List<MemberColumn>();
        var indices = new List<int>();
        foreach (MemberColumn column in wanted)
        {
            if (!schema.TryGetColumnIndex(column.ColumnName, out int index))
            {
                if (ignoreMissingColumns)
                    continue;
                throw host.ExceptSchemaMismatch("Schema", "", column.ColumnName);
            }

            DataViewType type = schema[index].Type;
            Type itemType = column.Member.IsVector ? (type as VectorDataViewType)?.ItemType.RawType : type.RawType;
            if (itemType != column.Member.ItemType)
            {
                throw host.Except(
                    $"The column '{column.ColumnName}' of type '{type}' does not fit the member '{column.Member.Name}' "
                    + $"of type '{column.Member.Type.FullName}'.");
            }

            columns.Add(column);
            indices.Add(index);
        }

        _columns = [.. columns];
        _indices = [.. indices];
    }

    /// <summary>Whether filling needs a column of the schema.</summary>
    public bool Needs(int column) => Array.IndexOf(_indices, column) >= 0;

    /// <summary>Fills objects from the current row.</summary>
    public Action<TRow> CreateFill(DataViewRow row)
    {
        Action<TRow>[] setters = [.. _columns.Select((c, i) => ObjectSetters<TRow>.Create(c, row, _indices[i]))];
        return target =>
        {
            foreach (Action<TRow> set in setters)
                set(target);
        };
    }
}
