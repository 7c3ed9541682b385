namespace Smae.MLNet;

/// <summary>A column that a component needs: finds and checks it, with the errors that ML.NET's own components give.</summary>
/// <param name="Role">What the column is to the component: input, feature, label.</param>
/// <param name="Advice">What to do where it has another, as a sentence.</param>
internal sealed record NeededColumn(string Role, string Expected, string Advice = "", string Parameter = "inputSchema")
{
    public DataViewSchema.Column Find(DataViewSchema schema, string name, Predicate<DataViewSchema.Column> fits)
    {
        var column = schema.GetColumnOrNull(name) ?? throw Missing(name, schema.Select(column => column.Name));
        return fits(column) ? column : throw Mismatch(name, column.Type.ToString()!);
    }

    /// <summary>The same before there is data.</summary>
    public SchemaShape.Column Find(SchemaShape schema, string name, Predicate<SchemaShape.Column> fits)
    {
        ArgumentNullException.ThrowIfNull(schema, Parameter);
        var column = schema.FirstOrDefault(column => column.Name == name);
        if (column.Name is null) throw Missing(name, schema.Select(column => column.Name));
        string item = column.IsKey ? $"Key<{column.ItemType}>" : column.ItemType.ToString()!;
        return fits(column) ? column : throw Mismatch(name, column.Kind switch
        {
            SchemaShape.Column.VectorKind.Vector => $"Vector<{item}>",
            SchemaShape.Column.VectorKind.VariableVector => $"VarVector<{item}>",
            _ => item,
        });
    }

    private ArgumentOutOfRangeException Missing(string name, IEnumerable<string> columns) =>
        new(Parameter, $"Could not find {Role} column '{name}'. The columns are: {string.Join(", ", columns.Select(column => $"'{column}'"))}.");

    private ArgumentOutOfRangeException Mismatch(string name, string found) =>
        new(Parameter, $"Schema mismatch for {Role} column '{name}': expected {Expected}, got {found}{(Advice.Length > 0 ? $". {Advice}" : "")}");
}

/// <summary>Faults of what a user gave, for <see cref="Rules"/>.</summary>
internal static class Faults
{
    /// <summary>What a check of a record finds, which names all faults of that record.</summary>
    public static IEnumerable<string> Of(Action check)
    {
        try
        {
            check();
            return [];
        }
        catch (ArgumentException exception)
        {
            return [exception.Message.Replace($" (Parameter '{exception.ParamName}')", "")];
        }
    }
}
