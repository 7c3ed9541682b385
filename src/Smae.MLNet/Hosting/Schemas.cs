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

/// <summary>The schema shapes that our estimators promise.</summary>
internal static class OutputShape
{
    /// <summary><paramref name="input"/> with columns added, each in the place of the one of the same name if there is one.</summary>
    public static SchemaShape With(SchemaShape input, IEnumerable<OutputColumn> added)
    {
        List<SchemaShape.Column> columns = [.. input];
        foreach (var column in ShapesOf(added))
        {
            int same = columns.FindIndex(other => other.Name == column.Name);
            if (same >= 0)
                columns[same] = column;
            else
                columns.Add(column);
        }
        return new SchemaShape(columns);
    }

    // SchemaShape.Column has no public constructor, but a chain being fitted asks each estimator with the shape of its input.
    private static SchemaShape ShapesOf(IEnumerable<OutputColumn> columns)
    {
        var empty = new DataViewSchema.Builder().ToSchema();
        var schema = new DataViewSchema.Builder();
        foreach (var column in columns) schema.AddColumn(column.Name, column.Type, column.AnnotationsOver(empty));
        var capture = new Capture();
        new EstimatorChain<ITransformer>().Append(capture).Fit(new SchemaOnlyView(schema.ToSchema()));
        return capture.Shape!;
    }

    private sealed class Capture : IEstimator<ITransformer>
    {
        public SchemaShape? Shape { get; private set; }

        public SchemaShape GetOutputSchema(SchemaShape inputSchema) => Shape = inputSchema;

        public ITransformer Fit(IDataView input) => new TransformerChain<ITransformer>();
    }
}

/// <summary>A data view without rows that cannot be read: what ML.NET wants where only a schema matters.</summary>
internal sealed class SchemaOnlyView(DataViewSchema schema) : IDataView
{
    public DataViewSchema Schema => schema;

    public bool CanShuffle => false;

    public long? GetRowCount() => 0;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        throw new NotSupportedException("This data view holds a schema only.");

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        throw new NotSupportedException("This data view holds a schema only.");
}

/// <summary>Faults of what a user gave, collected so that one error names them all.</summary>
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

    public static void Throw(IReadOnlyCollection<string> faults, string parameter)
    {
        if (faults.Count > 0) throw new ArgumentException(string.Join(" ", faults), parameter);
    }
}
