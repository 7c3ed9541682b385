using Microsoft.ML;
using Microsoft.ML.Data;

namespace Smae.MLNet;

/// <summary>The key of the class with the greatest probability, 0 (missing) where there is none.</summary>
internal sealed class PredictedLabelOutput(LabelClasses classes)
    : OutputColumn("PredictedLabel", new KeyDataViewType(typeof(uint), classes.Count))
{
    public override DataViewSchema.Annotations AnnotationsOver(DataViewSchema input)
    {
        var annotations = ClassificationOutputs.Common(input, "PredictedLabel");
        classes.AddTo(annotations, "KeyValues");
        return annotations.ToAnnotations();
    }

    public override ValueGetter<TValue> Getter<TValue>(DataViewSchema.Column column, RowScores scores) =>
        ColumnAccess.Cast<TValue, uint>(column, (ref uint value) => value = (uint)(ClassificationOutputs.Best(scores()) + 1));
}
