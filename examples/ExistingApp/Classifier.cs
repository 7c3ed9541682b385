using Microsoft.ML;
using Microsoft.ML.Data;

namespace ExistingApp;

/// <summary>Says what is on an image.</summary>
internal sealed class Classifier
{
    private const int Shown = 5;
    private readonly Model<Prediction> _model;
    private readonly string[] _labels;

    /// <exception cref="InvalidOperationException">The model is no classifier.</exception>
    public Classifier(string path)
    {
        _model = new Model<Prediction>(path);
        // The names of the classes in the order of the scores. A later MapKeyToValue hides this column but does not take it away.
        foreach (DataViewSchema.Column column in _model.Schema.Where(c => c.Name == "PredictedLabel" && c.Type is KeyDataViewType))
        {
            VBuffer<ReadOnlyMemory<char>> names = default;
            column.Annotations.GetValue("KeyValues", ref names);
            _labels = [.. names.DenseValues().Select(name => name.ToString())];
        }
        if (_labels is null) throw new InvalidOperationException($"{path} is no classifier: it has no column PredictedLabel with the names of its classes.");
    }

    public int ClassCount => _labels.Length;

    public Classification Classify(MLImage image)
    {
        float[] scores = _model.Predict(image).Score;
        ClassProbability[] likeliest =
            [.. scores.Select((score, i) => new ClassProbability(_labels[i], score)).OrderByDescending(c => c.Probability).Take(Shown)];
        return new Classification(likeliest[0].Label, likeliest);
    }

    private sealed class Prediction
    {
        public float[] Score { get; set; } = [];
    }
}
