using Microsoft.ML;
using Microsoft.ML.Data;

namespace Smae.MLNet;

/// <summary>The schema shapes that our estimators promise.</summary>
internal static class OutputShape
{
    /// <summary><paramref name="input"/> with a column added, in the place of the one of the same name if there is one.</summary>
    public static SchemaShape With(SchemaShape input, string name, DataViewType type)
    {
        SchemaShape.Column added = ShapeOf(name, type);
        List<SchemaShape.Column> columns = [.. input];
        int same = columns.FindIndex(column => column.Name == name);
        if (same >= 0)
            columns[same] = added;
        else
            columns.Add(added);
        return new SchemaShape(columns);
    }

    // SchemaShape.Column has no public constructor, but a chain being fitted asks each estimator with the shape of its input.
    private static SchemaShape.Column ShapeOf(string name, DataViewType type)
    {
        var schema = new DataViewSchema.Builder();
        schema.AddColumn(name, type);
        var capture = new Capture();
        new EstimatorChain<ITransformer>().Append(capture).Fit(new SchemaOnlyView(schema.ToSchema()));
        return capture.Shape![0];
    }

    private sealed class Capture : IEstimator<ITransformer>
    {
        public SchemaShape? Shape { get; private set; }

        public SchemaShape GetOutputSchema(SchemaShape inputSchema) => Shape = inputSchema;

        public ITransformer Fit(IDataView input) => new TransformerChain<ITransformer>();
    }
}
