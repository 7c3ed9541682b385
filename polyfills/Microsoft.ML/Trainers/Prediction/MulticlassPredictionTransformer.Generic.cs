using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;

namespace Microsoft.ML.Data;

/// <summary>Predicts one of several classes.</summary>
public sealed class MulticlassPredictionTransformer<TModel> : SingleFeaturePredictionTransformerBase<TModel>
    where TModel : class
{
    private readonly KeyNames _labelNames;

    internal MulticlassPredictionTransformer(IHostEnvironment env, TModel model, DataViewSchema trainSchema, string featureColumn, string labelColumn)
        : this(env.Register(nameof(MulticlassPredictionTransformer<TModel>)), model, trainSchema, featureColumn, labelColumn)
    {
    }

    internal MulticlassPredictionTransformer(
        IHostEnvironment env, TModel model, string featureColumn, DataViewType featureColumnType, KeyNames labelNames)
        : base(env.Register(nameof(MulticlassPredictionTransformer<TModel>)), model, featureColumn, featureColumnType) => _labelNames = labelNames;

    private MulticlassPredictionTransformer(IHost host, TModel model, DataViewSchema trainSchema, string featureColumn, string labelColumn)
        : base(host, model, featureColumn, TypeOf(host, trainSchema, featureColumn)) => _labelNames = KeyNames.Of(trainSchema[labelColumn]);

    private protected override IRowMapper MakeRowMapper(DataViewSchema schema)
    {
        var model = (IMulticlassModel)Model;
        DataViewSchema.Column features = schema.GetColumnOrNull(FeatureColumnName)
            ?? throw Contracts.ExceptParam(nameof(schema), $"{FeatureColumnName} column 'Feature' not found");
        if (features.Type.GetItemType() != NumberDataViewType.Single)
        {
            throw Host.Except(
                $"Incompatible features column type item type: '{features.Type.GetItemType()}' vs '{NumberDataViewType.Single}'");
        }

        if (features.Type.GetVectorSize() != model.FeatureCount)
        {
            var wanted = new VectorDataViewType(NumberDataViewType.Single, model.FeatureCount);
            throw Host.Except($"Incompatible features column type: '{features.Type}' vs '{wanted}'");
        }

        return new MulticlassScoring(schema, features, model, _labelNames);
    }

    private protected override void SaveCore(ModelSaveContext ctx)
    {
        ctx.SetVersionInfo(MulticlassPredictionTransformer.LoaderSignature);
        ctx.SaveModel((ICanSaveModel)Model, ModelDirectory);
        MulticlassPredictionTransformer.Save(ctx, FeatureColumnName, (VectorDataViewType)FeatureColumnType, _labelNames);
    }
}
