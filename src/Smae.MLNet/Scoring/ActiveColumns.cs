namespace Smae.MLNet;

/// <summary>The columns that the reader of a data view asked for: a flag for each of its schema.</summary>
internal static class ActiveColumns
{
    /// <summary>Which columns of a schema are among <paramref name="columns"/>.</summary>
    public static bool[] Active(this DataViewSchema schema, IEnumerable<DataViewSchema.Column> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        var active = new bool[schema.Count];
        foreach (DataViewSchema.Column column in columns)
        {
            if (column.Index >= active.Length) throw NotOfSchema(column);
            active[column.Index] = true;
        }
        return active;
    }

    public static bool IsActive(this bool[] active, DataViewSchema.Column column) =>
        column.Index < active.Length ? active[column.Index] : throw NotOfSchema(column);

    /// <summary>Refuses a getter of a column that is not active.</summary>
    public static void Require(this bool[] active, DataViewSchema.Column column)
    {
        if (!active.IsActive(column))
            throw new InvalidOperationException($"Column '{column.Name}' is not active: it is not among the columns that were asked for.");
    }

    /// <summary>A getter of a column's value as the type that its reader asks for.</summary>
    public static ValueGetter<TValue> As<TValue>(this Delegate getter, DataViewSchema.Column column) => getter as ValueGetter<TValue>
        ?? throw new InvalidOperationException($"Column '{column.Name}' holds values of type {column.Type.RawType}, not {typeof(TValue)}.");

    /// <summary>What a getter throws where its cursor stands on no row.</summary>
    public static InvalidOperationException NoRow() =>
        new("There is no current row: MoveNext has not been called or has returned false, or the cursor has been disposed.");

    private static ArgumentOutOfRangeException NotOfSchema(DataViewSchema.Column column) => new(nameof(column), $"Column '{column.Name}' is not part of the schema.");
}
