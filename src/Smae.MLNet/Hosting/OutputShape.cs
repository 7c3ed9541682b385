namespace Smae.MLNet;

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
            if (same >= 0) columns[same] = column;
            else columns.Add(column);
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

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) => [GetRowCursor(columnsNeeded)];
}
