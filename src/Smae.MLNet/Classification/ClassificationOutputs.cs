namespace Smae.MLNet;

/// <summary>The columns that a classifier adds, annotated as ML.NET's own trainers annotate theirs.</summary>
internal static class ClassificationOutputs
{
    /// <summary>What a broken image leads to, for warnings.</summary>
    public const string OfBrokenImages = "its score is NaN and its predicted label missing";

    private const string ColumnSetId = "ScoreColumnSetId", ColumnKind = "ScoreColumnKind", ValueKind = "ScoreValueKind";

    private static readonly KeyDataViewType ColumnSetIdType = new(typeof(uint), int.MaxValue);

    /// <summary>PredictedLabel, Score and Probability for <paramref name="classes"/>.</summary>
    public static IReadOnlyList<OutputColumn> For(LabelClasses classes) =>
        [new PredictedLabelOutput(classes), new ScoreOutput(classes), new ProbabilityOutput()];

    /// <summary>The greatest score's place; -1 where none is a number.</summary>
    public static int Best(ReadOnlySpan<float> scores)
    {
        int best = -1;
        for (int i = 0; i < scores.Length; i++)
        {
            if (best < 0 ? !float.IsNaN(scores[i]) : scores[i] > scores[best]) best = i;
        }
        return best;
    }

    /// <summary>What all columns of one classifier have in common.</summary>
    public static DataViewSchema.Annotations.Builder Common(DataViewSchema input, string valueKind)
    {
        var annotations = new DataViewSchema.Annotations.Builder();
        annotations.AddPrimitiveValue(ColumnSetId, ColumnSetIdType, GreatestSetId(input) + 1);
        annotations.AddPrimitiveValue(ColumnKind, TextDataViewType.Instance, "MulticlassClassification".AsMemory());
        annotations.AddPrimitiveValue(ValueKind, TextDataViewType.Instance, valueKind.AsMemory());
        return annotations;
    }

    // By this number the columns of several predictors in one schema are told apart.
    private static uint GreatestSetId(DataViewSchema schema)
    {
        uint greatest = 0;
        foreach (var column in schema)
        {
            if (column.Annotations.Schema.GetColumnOrNull(ColumnSetId)?.Type is not KeyDataViewType type || type.RawType != typeof(uint))
                continue;
            uint id = 0;
            column.Annotations.GetValue(ColumnSetId, ref id);
            greatest = Math.Max(greatest, id);
        }
        return greatest;
    }
}

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

    public override Delegate Getter(RowScores scores) =>
        (ValueGetter<uint>)((ref uint value) => value = (uint)(ClassificationOutputs.Best(scores()) + 1));
}

/// <summary>The probabilities of all classes.</summary>
internal sealed class ScoreOutput(LabelClasses classes) : VectorOutput("Score", classes.Count)
{
    public override DataViewSchema.Annotations AnnotationsOver(DataViewSchema input)
    {
        var annotations = ClassificationOutputs.Common(input, "Score");
        if (classes.AreText) classes.AddTo(annotations, "SlotNames");
        classes.AddTo(annotations, "TrainingLabelValues");
        return annotations.ToAnnotations();
    }
}

/// <summary>The probability of the predicted class, NaN (missing) where there is none.</summary>
internal sealed class ProbabilityOutput() : OutputColumn("Probability", NumberDataViewType.Single)
{
    public override DataViewSchema.Annotations AnnotationsOver(DataViewSchema input)
    {
        var annotations = ClassificationOutputs.Common(input, "Probability");
        annotations.AddPrimitiveValue("IsNormalized", BooleanDataViewType.Instance, true);
        return annotations.ToAnnotations();
    }

    public override Delegate Getter(RowScores scores) => (ValueGetter<float>)((ref float value) =>
    {
        var probabilities = scores();
        int best = ClassificationOutputs.Best(probabilities);
        value = best < 0 ? float.NaN : probabilities[best];
    });
}
