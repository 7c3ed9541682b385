using System.Runtime.CompilerServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;

namespace Smae.MLNet;

/// <summary>
/// A predictor of ML.NET's own that makes PredictedLabel and Score of logits, with the names of the classes. ML.NET has no transformer for that, but its
/// maximum-entropy classifier is the softmax of a linear map: with the identity as its map (a sparse matrix, so that many classes cost little) it is the
/// softmax alone. Only a trainer makes one by public means, so it is made by the constructors that the trainer calls.
/// </summary>
internal static class SoftmaxPredictor
{
    /// <param name="logitsColumnName">The column of logits, <c>Vector&lt;Single&gt;</c> with a number for each class.</param>
    /// <param name="classes">The classes.</param>
    public static ITransformer Create(string logitsColumnName, LabelClasses classes)
    {
        int count = classes.Count;
        IHostEnvironment environment = new MLContext();
        VBuffer<float>[] identity = [.. Enumerable.Range(0, count).Select(i => new VBuffer<float>(count, 1, [1f], [i]))];
        MaximumEntropyModelParameters model = Model(environment, identity, new float[count], count, count, null, null);

        var annotations = new DataViewSchema.Annotations.Builder();
        classes.AddTo(annotations, "KeyValues");
        var schema = new DataViewSchema.Builder();
        schema.AddColumn("Label", new KeyDataViewType(typeof(uint), count), annotations.ToAnnotations());
        schema.AddColumn(logitsColumnName, new VectorDataViewType(NumberDataViewType.Single, count));
        return Predictor<MaximumEntropyModelParameters>.Create(environment, model, schema.ToSchema(), logitsColumnName, "Label", "Score", "PredictedLabel");
    }

    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    private static extern MaximumEntropyModelParameters Model(
        IHostEnvironment environment, VBuffer<float>[] weights, float[] bias, int classes, int features, string[]? labelNames, ModelStatisticsBase? statistics);

    private static class Predictor<TModel> where TModel : class
    {
        [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
        public static extern MulticlassPredictionTransformer<TModel> Create(
            IHostEnvironment environment, TModel model, DataViewSchema schema, string feature, string label, string score, string predictedLabel);
    }
}
