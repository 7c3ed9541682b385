using Microsoft.ML.Internal.Utilities;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Which columns a cursor needs, and getters whose type is known only at run time.</summary>
internal static class RowCursorUtils
{
    public const string FetchValueStateError =
        "Values cannot be fetched at this time: either before the first call to MoveNext, or after the cursor has ended.";

    public static Func<int, bool> FromColumnsToPredicate(IEnumerable<DataViewSchema.Column> columnsNeeded, DataViewSchema sourceSchema)
    {
        bool[] active = ActiveColumns(columnsNeeded, sourceSchema);
        return c => active[c];
    }

    public static bool[] ActiveColumns(IEnumerable<DataViewSchema.Column> columnsNeeded, DataViewSchema sourceSchema)
    {
        Contracts.CheckValue(columnsNeeded, nameof(columnsNeeded));
        Contracts.CheckValue(sourceSchema, nameof(sourceSchema));
        var active = new bool[sourceSchema.Count];
        foreach (DataViewSchema.Column column in columnsNeeded)
        {
            if (column.Index >= active.Length)
                throw Contracts.Except($"The requested column: {column} is not part of the {nameof(sourceSchema)}");
            active[column.Index] = true;
        }

        return active;
    }

    /// <summary>The getter of a column as a delegate of its own raw type.</summary>
    public static Delegate GetGetterAsDelegate(DataViewRow row, int col) =>
        Generic.Invoke<Delegate>(GetGetter<int>, row.Schema[col].Type.RawType, row, col);

    /// <summary>Casts a getter, or says which type it has.</summary>
    public static ValueGetter<TValue> Cast<TValue>(Delegate getter) =>
        getter as ValueGetter<TValue>
        ?? throw Contracts.Except(
            $"Invalid TValue in GetGetter: '{typeof(TValue)}', expected type: '{getter.GetType().GetGenericArguments()[0]}'.");

    private static Delegate GetGetter<TValue>(DataViewRow row, int col) => row.GetGetter<TValue>(row.Schema[col]);
}
