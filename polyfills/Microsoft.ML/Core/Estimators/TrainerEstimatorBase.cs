using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers;

/// <summary>A trainer over a column of features, a label and perhaps a weight.</summary>
public abstract class TrainerEstimatorBase<TTransformer, TModel> : ITrainerEstimator<TTransformer, TModel>
    where TTransformer : ISingleFeaturePredictionTransformer<TModel>
    where TModel : class
{
    public readonly SchemaShape.Column FeatureColumn;
    public readonly SchemaShape.Column LabelColumn;
    public readonly SchemaShape.Column WeightColumn;

    private protected const string NoTrainingInstancesMessage = "No valid training instances found, all instances have missing features.";
    private protected readonly IHost Host;

    private protected TrainerEstimatorBase(IHost host, SchemaShape.Column feature, SchemaShape.Column label, SchemaShape.Column weight = default)
    {
        Contracts.CheckValue(host, nameof(host));
        Host = host;
        Host.CheckParam(feature.IsValid, nameof(feature), "not initialized properly");
        FeatureColumn = feature;
        LabelColumn = label;
        WeightColumn = weight;
    }

    public abstract TrainerInfo Info { get; }

    public TTransformer Fit(IDataView input)
    {
        CheckInputSchema(SchemaShape.Create(input.Schema));
        return MakeTransformer(TrainModelCore(input), input.Schema);
    }

    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        Host.CheckValue(inputSchema, nameof(inputSchema));
        CheckInputSchema(inputSchema);
        return inputSchema.With(GetOutputColumnsCore(inputSchema));
    }

    private protected abstract SchemaShape.Column[] GetOutputColumnsCore(SchemaShape inputSchema);

    private protected abstract TModel TrainModelCore(IDataView trainSet);

    private protected abstract TTransformer MakeTransformer(TModel model, DataViewSchema trainSchema);

    /// <summary>Throws where the label will not do; trainers may allow several types.</summary>
    private protected virtual void CheckLabelCompatible(SchemaShape.Column labelCol)
    {
        if (!LabelColumn.IsCompatibleWith(labelCol))
            throw Host.ExceptSchemaMismatch(nameof(labelCol), "label", LabelColumn.Name, LabelColumn.GetTypeString(), labelCol.GetTypeString());
    }

    private void CheckInputSchema(SchemaShape inputSchema)
    {
        Check(FeatureColumn, "feature");
        if (WeightColumn.IsValid)
            Check(WeightColumn, "weight");
        if (LabelColumn.IsValid)
            CheckLabelCompatible(Find(LabelColumn, "label"));

        SchemaShape.Column Find(SchemaShape.Column wanted, string role) =>
            inputSchema.TryFindColumn(wanted.Name, out SchemaShape.Column found)
                ? found
                : throw Host.ExceptSchemaMismatch(nameof(inputSchema), role, wanted.Name);

        void Check(SchemaShape.Column wanted, string role)
        {
            SchemaShape.Column found = Find(wanted, role);
            if (!wanted.IsCompatibleWith(found))
                throw Host.ExceptSchemaMismatch(nameof(inputSchema), role, wanted.Name, wanted.GetTypeString(), found.GetTypeString());
        }
    }
}
