using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers;

/// <summary>The rows that training uses, in memory.</summary>
internal sealed class TrainingRows
{
    private readonly List<VBuffer<float>> _features = [];
    private readonly List<int> _labels = [];
    private readonly List<float> _weights = [];

    private TrainingRows()
    {
    }

    public int Count => _labels.Count;

    /// <summary>The sum of the weights.</summary>
    public double WeightSum { get; private set; }

    public IReadOnlyList<VBuffer<float>> Features => _features;

    public IReadOnlyList<int> Labels => _labels;

    public IReadOnlyList<float> Weights => _weights;

    /// <summary>Reads all rows but those without a label, with features that are no numbers or with a weight that is not positive.</summary>
    public static TrainingRows Read(IChannel ch, IDataView data, string featureColumn, string labelColumn, string weightColumn)
    {
        DataViewSchema.Column features = data.Schema[featureColumn];
        DataViewSchema.Column label = data.Schema[labelColumn];
        DataViewSchema.Column? weight = weightColumn == null ? null : data.Schema[weightColumn];
        var rows = new TrainingRows();
        long skipped = 0;
        using (DataViewRowCursor cursor = data.GetRowCursor(weight is { } w ? [features, label, w] : [features, label]))
        {
            ValueGetter<VBuffer<float>> getFeatures = cursor.GetGetter<VBuffer<float>>(cursor.Schema[features.Index]);
            ValueGetter<float> getLabel = LabelGetter.Create(cursor, cursor.Schema[label.Index]);
            ValueGetter<float> getWeight = weight is { } column ? cursor.GetGetter<float>(cursor.Schema[column.Index]) : null;
            VBuffer<float> featureValues = default;
            float labelValue = 0;
            float weightValue = 1;
            while (cursor.MoveNext())
            {
                getWeight?.Invoke(ref weightValue);
                getFeatures(ref featureValues);
                getLabel(ref labelValue);
                if (!float.IsNaN(labelValue) && weightValue > 0 && float.IsFinite(weightValue) && FiniteValues.All(featureValues.GetValues()))
                    rows.Add(in featureValues, (int)labelValue, weightValue);
                else
                    skipped++;
            }
        }

        if (skipped > 0)
            ch.Warning("Skipped {0} instances with missing features/label/weight during training", skipped);
        return rows;
    }

    private void Add(in VBuffer<float> features, int label, float weight)
    {
        VBuffer<float> copy = default;
        features.CopyTo(ref copy);
        _features.Add(copy);
        _labels.Add(label);
        _weights.Add(weight);
        WeightSum += weight;
    }
}
