using Microsoft.ML.Internal.Utilities;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;

namespace Microsoft.ML.Data;

/// <summary>Saves and loads transformers that predict classes.</summary>
[LoadableModel(LoaderSignature)]
internal static class MulticlassPredictionTransformer
{
    public const string LoaderSignature = "MulticlassPredXfer";

    public static void Save(ModelSaveContext ctx, string featureColumn, VectorDataViewType featureType, KeyNames labelNames)
    {
        ctx.SaveString(featureColumn);
        ctx.Writer.Write(featureType.Dimensions.Length);
        foreach (int dimension in featureType.Dimensions)
            ctx.Writer.Write(dimension);
        ctx.Writer.Write(labelNames != null);
        labelNames?.Save(ctx.Writer);
    }

    private static ITransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        var model = ctx.LoadModel<IMulticlassModel>(env, "Model");
        return Generic.Invoke<ITransformer>(Load<object>, model.GetType(), env, ctx, model);
    }

    private static ITransformer Load<TModel>(IHostEnvironment env, ModelLoadContext ctx, IMulticlassModel model)
        where TModel : class
    {
        string featureColumn = ctx.LoadString();
        var dimensions = new int[ctx.Reader.ReadInt32()];
        for (int i = 0; i < dimensions.Length; i++)
            dimensions[i] = ctx.Reader.ReadInt32();
        KeyNames labelNames = ctx.Reader.ReadBoolean() ? KeyNames.Load(env, ctx.Reader) : null;
        var featureType = new VectorDataViewType(NumberDataViewType.Single, dimensions);
        return new MulticlassPredictionTransformer<TModel>(env, (TModel)model, featureColumn, featureType, labelNames);
    }
}
