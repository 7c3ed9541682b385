using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A transformer that predicts from one column.</summary>
public abstract class SingleFeaturePredictionTransformerBase<TModel> : PredictionTransformerBase<TModel>, ISingleFeaturePredictionTransformer<TModel>
    where TModel : class
{
    private protected SingleFeaturePredictionTransformerBase(IHost host, TModel model, string featureColumn, DataViewType featureColumnType)
        : base(host, model)
    {
        FeatureColumnName = featureColumn;
        FeatureColumnType = featureColumnType;
    }

    public string FeatureColumnName { get; }

    public DataViewType FeatureColumnType { get; }

    /// <summary>Stricter than <c>Transform</c>: here the dimensions must be those of the training data, and not only the size.</summary>
    public sealed override DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        Host.CheckValue(inputSchema, nameof(inputSchema));
        if (!inputSchema.TryGetColumnIndex(FeatureColumnName, out int column))
            throw Host.ExceptSchemaMismatch(nameof(inputSchema), "feature", FeatureColumnName);
        DataViewType type = inputSchema[column].Type;
        if (!type.Equals(FeatureColumnType))
            throw Host.ExceptSchemaMismatch(nameof(inputSchema), "feature", FeatureColumnName, FeatureColumnType.ToString(), type.ToString());
        return RowToRowMapperTransform.GetOutputSchema(inputSchema, MakeRowMapper(inputSchema));
    }

    private protected static DataViewType TypeOf(IHost host, DataViewSchema trainSchema, string featureColumn) =>
        trainSchema.GetColumnOrNull(featureColumn)?.Type ?? throw host.ExceptSchemaMismatch(nameof(featureColumn), "feature", featureColumn);
}
