using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Compares predictions with labels.</summary>
internal static class MulticlassEvaluation
{
    public static MulticlassClassificationMetrics Evaluate(
        IHost host, IDataView data, string labelName, string scoreName, string predictedLabelName, int topKPredictionCount)
    {
        DataViewSchema.Column label = Find(data.Schema, labelName, DefaultColumnNames.Label);
        DataViewSchema.Column score = Find(data.Schema, scoreName, DefaultColumnNames.Score);
        // It must be there, though nothing is made of it: the prediction is taken from the scores.
        Find(data.Schema, predictedLabelName, DefaultColumnNames.PredictedLabel);
        CheckTypes(host, score, label);

        int classCount = score.Type.GetVectorSize();
        var counters = new MulticlassCounters(classCount);
        using (DataViewRowCursor cursor = data.GetRowCursor([label, score]))
            Count(host, cursor, label, score, counters, classCount);
        var matrix = new ConfusionMatrix(counters.ConfusionTable, ClassNames(score, classCount));
        return new MulticlassClassificationMetrics(counters, matrix, topKPredictionCount);
    }

    private static DataViewSchema.Column Find(DataViewSchema schema, string name, string role) =>
        schema.GetColumnOrNull(name) ?? throw Contracts.ExceptParam(nameof(schema), $"{name} column '{role}' not found");

    private static void CheckTypes(IHost host, DataViewSchema.Column score, DataViewSchema.Column label)
    {
        if (score.Type is not VectorDataViewType { Size: >= 2 } vector || vector.ItemType != NumberDataViewType.Single)
        {
            throw host.ExceptSchemaMismatch(
                "schema", "score", score.Name, "vector of two or more items of type Single", score.Type.ToString());
        }

        if (label.Type != NumberDataViewType.Single && label.Type.GetKeyCount() == 0)
            throw host.ExceptSchemaMismatch("schema", "label", label.Name, "Single or Key", label.Type.ToString());
    }

    private static void Count(
        IHost host, DataViewRowCursor cursor, DataViewSchema.Column label, DataViewSchema.Column score, MulticlassCounters counters, int classCount)
    {
        ValueGetter<float> getLabel = LabelGetter.Create(cursor, cursor.Schema[label.Index]);
        ValueGetter<VBuffer<float>> getScores = cursor.GetGetter<VBuffer<float>>(cursor.Schema[score.Index]);
        float labelValue = 0;
        VBuffer<float> scores = default;
        float[] dense = new float[classCount];
        while (cursor.MoveNext())
        {
            // Rows without a label, with one that is no class, or with scores that are no numbers count for nothing.
            getLabel(ref labelValue);
            if (float.IsNaN(labelValue) || labelValue < 0 || labelValue != (int)labelValue)
                continue;
            getScores(ref scores);
            host.Check(scores.Length == classCount);
            scores.CopyTo(dense);
            if (FiniteValues.All(dense))
                counters.Add((int)labelValue, dense);
        }
    }

    private static string[] ClassNames(DataViewSchema.Column score, int classCount)
    {
        if (!score.HasSlotNames(classCount))
            return [.. Enumerable.Range(0, classCount).Select(k => k.ToString())];
        VBuffer<ReadOnlyMemory<char>> names = default;
        score.GetSlotNames(ref names);
        return [.. names.DenseValues().Select(name => name.ToString())];
    }
}
