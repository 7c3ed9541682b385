using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;

namespace Microsoft.ML.Data;

/// <summary>The columns that a classifier adds: the predicted label and the scores of the classes.</summary>
internal sealed class MulticlassScoring(DataViewSchema inputSchema, DataViewSchema.Column features, IMulticlassModel model, KeyNames labelNames)
    : IRowMapper
{
    private const int PredictedLabel = 0;
    private const int Score = 1;

    public Func<int, bool> GetDependencies(Func<int, bool> activeOutput) =>
        column => column == features.Index && (activeOutput(PredictedLabel) || activeOutput(Score));

    public Delegate[] CreateGetters(DataViewRow input, Func<int, bool> activeOutput, out Action disposer)
    {
        disposer = null;
        var getters = new Delegate[2];
        if (!activeOutput(PredictedLabel) && !activeOutput(Score))
            return getters;
        var row = new RowScores(input, features, model);
        if (activeOutput(PredictedLabel))
            getters[PredictedLabel] = (ValueGetter<uint>)((ref uint dst) => dst = (uint)(ArgMax(row.Current().GetValues()) + 1));
        if (activeOutput(Score))
            getters[Score] = (ValueGetter<VBuffer<float>>)((ref VBuffer<float> dst) => row.Current().CopyTo(ref dst));
        return getters;
    }

    public DataViewSchema.DetachedColumn[] GetOutputColumns()
    {
        // Evaluators and pipelines tell the predictors of a schema apart by this number.
        uint setId = inputSchema.GetMaxScoreColumnSetId() + 1;
        bool named = labelNames != null && labelNames.Type.Size == model.ClassCount;

        var label = new DataViewSchema.Annotations.Builder();
        label.AddText(AnnotationUtils.Kinds.ScoreColumnKind, AnnotationUtils.Const.ScoreColumnKind.MulticlassClassification);
        label.AddText(AnnotationUtils.Kinds.ScoreValueKind, AnnotationUtils.Const.ScoreValueKind.PredictedLabel);
        if (named)
            labelNames.AddTo(label, AnnotationUtils.Kinds.KeyValues);
        label.AddPrimitiveValue(AnnotationUtils.Kinds.ScoreColumnSetId, AnnotationUtils.ScoreColumnSetIdType, setId);

        var score = new DataViewSchema.Annotations.Builder();
        score.AddText(AnnotationUtils.Kinds.ScoreColumnKind, AnnotationUtils.Const.ScoreColumnKind.MulticlassClassification);
        score.AddPrimitiveValue(AnnotationUtils.Kinds.ScoreColumnSetId, AnnotationUtils.ScoreColumnSetIdType, setId);
        score.AddText(AnnotationUtils.Kinds.ScoreValueKind, AnnotationUtils.Const.ScoreValueKind.Score);
        if (named)
            labelNames.AddTo(score, AnnotationUtils.Kinds.TrainingLabelValues);
        if (named && labelNames.Type.ItemType is TextDataViewType)
            labelNames.AddTo(score, AnnotationUtils.Kinds.SlotNames);

        return
        [
            new(DefaultColumnNames.PredictedLabel, new KeyDataViewType(typeof(uint), model.ClassCount), label.ToAnnotations()),
            new(DefaultColumnNames.Score, new VectorDataViewType(NumberDataViewType.Single, model.ClassCount), score.ToAnnotations()),
        ];
    }

    /// <summary>The first of the greatest, -1 if none is a number.</summary>
    private static int ArgMax(ReadOnlySpan<float> scores)
    {
        int best = -1;
        for (int k = 0; k < scores.Length; k++)
        {
            if (best < 0 ? !float.IsNaN(scores[k]) : scores[k] > scores[best])
                best = k;
        }

        return best;
    }

    /// <summary>Scores each row once for both columns.</summary>
    private sealed class RowScores(DataViewRow input, DataViewSchema.Column features, IMulticlassModel model)
    {
        private readonly ValueGetter<VBuffer<float>> _getFeatures = input.GetGetter<VBuffer<float>>(input.Schema[features.Index]);
        private VBuffer<float> _features;
        private VBuffer<float> _scores;
        private long _position = -1;

        public ref readonly VBuffer<float> Current()
        {
            if (_position != input.Position)
            {
                _getFeatures(ref _features);
                model.Score(in _features, ref _scores);
                _position = input.Position;
            }

            return ref _scores;
        }
    }
}
