using Microsoft.ML;
using Microsoft.ML.Data;

namespace Smae.MLNet;

/// <summary>The probability of the predicted class, NaN (missing) where there is none.</summary>
internal sealed class ProbabilityOutput() : OutputColumn("Probability", NumberDataViewType.Single)
{
    public override DataViewSchema.Annotations AnnotationsOver(DataViewSchema input)
    {
        var annotations = ClassificationOutputs.Common(input, "Probability");
        annotations.AddPrimitiveValue("IsNormalized", BooleanDataViewType.Instance, true);
        return annotations.ToAnnotations();
    }

    public override ValueGetter<TValue> Getter<TValue>(DataViewSchema.Column column, RowScores scores) =>
        ColumnAccess.Cast<TValue, float>(column, (ref float value) =>
        {
            var probabilities = scores();
            int best = ClassificationOutputs.Best(probabilities);
            value = best < 0 ? float.NaN : probabilities[best];
        });
}
