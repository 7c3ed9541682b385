namespace Smae.MLNet;

/// <summary>The columns that a classifier adds, annotated as ML.NET's own trainers annotate theirs.</summary>
internal static class ClassificationOutputs
{
    /// <summary>What a broken image leads to, for warnings.</summary>
    public const string OfBrokenImages = "its score is NaN and its predicted label missing";

    private const string ColumnSetId = "ScoreColumnSetId";

    /// <summary>
    /// PredictedLabel (the key of the class with the greatest probability, 0 or missing where there is none), Score (the probabilities of all
    /// classes) and Probability (that of the predicted class, NaN or missing where there is none).
    /// </summary>
    public static IReadOnlyList<OutputColumn> For(LabelClasses classes) =>
    [
        new ClassColumn("PredictedLabel", new KeyDataViewType(typeof(uint), classes.Count), annotations => classes.AddTo(annotations, "KeyValues"),
            scores => (ValueGetter<uint>)((ref uint value) => value = (uint)(Best(scores()) + 1))),
        new ClassColumn("Score", new VectorDataViewType(NumberDataViewType.Single, classes.Count), annotations =>
        {
            if (classes.AreText) classes.AddTo(annotations, "SlotNames");
            classes.AddTo(annotations, "TrainingLabelValues");
        }, scores => VectorOutput.Getter(scores, classes.Count)),
        new ClassColumn("Probability", NumberDataViewType.Single,
            annotations => annotations.AddPrimitiveValue("IsNormalized", BooleanDataViewType.Instance, true),
            scores => (ValueGetter<float>)((ref float value) =>
            {
                var probabilities = scores();
                int best = Best(probabilities);
                value = best < 0 ? float.NaN : probabilities[best];
            })),
    ];

    /// <summary>The greatest score's place; -1 where none is a number.</summary>
    private static int Best(ReadOnlySpan<float> scores)
    {
        int best = -1;
        for (int i = 0; i < scores.Length; i++)
            if (best < 0 ? !float.IsNaN(scores[i]) : scores[i] > scores[best]) best = i;
        return best;
    }

    // By this number the columns of several predictors in one schema are told apart.
    private static uint GreatestSetId(DataViewSchema schema)
    {
        uint greatest = 0, id = 0;
        foreach (var column in schema)
        {
            if (column.Annotations.Schema.GetColumnOrNull(ColumnSetId)?.Type is not KeyDataViewType type || type.RawType != typeof(uint)) continue;
            column.Annotations.GetValue(ColumnSetId, ref id);
            greatest = Math.Max(greatest, id);
        }
        return greatest;
    }

    /// <param name="annotate">Adds the annotations that the other columns do not have.</param>
    private sealed class ClassColumn(
        string name, DataViewType type, Action<DataViewSchema.Annotations.Builder> annotate, Func<RowScores, Delegate> getter) : OutputColumn(name, type)
    {
        public override DataViewSchema.Annotations AnnotationsOver(DataViewSchema input)
        {
            var annotations = new DataViewSchema.Annotations.Builder();
            annotations.AddPrimitiveValue(ColumnSetId, new KeyDataViewType(typeof(uint), int.MaxValue), GreatestSetId(input) + 1);
            annotations.AddPrimitiveValue("ScoreColumnKind", TextDataViewType.Instance, "MulticlassClassification".AsMemory());
            annotations.AddPrimitiveValue("ScoreValueKind", TextDataViewType.Instance, Name.AsMemory());
            annotate(annotations);
            return annotations.ToAnnotations();
        }

        public override Delegate Getter(RowScores scores, RowProblem problem) => getter(scores);
    }
}
