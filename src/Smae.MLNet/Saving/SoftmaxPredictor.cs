using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;
using Smae.Export;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.MLNet;

/// <summary>
/// A predictor of ML.NET's own that makes PredictedLabel and Score of logits, with the names of the classes. ML.NET has no transformer for that, but its
/// maximum-entropy classifier is the softmax of a linear map. That map cannot be set, so one is trained, on a row for each class, whatever map it may become;
/// and the logits are sent through its inverse first.
/// </summary>
internal sealed class SoftmaxPredictor
{
    /// <param name="classes">The classes.</param>
    /// <param name="featureColumnName">The column of logits, less <see cref="Undo"/>.</param>
    public SoftmaxPredictor(LabelClasses classes, string featureColumnName)
    {
        var ml = new MLContext(seed: 0);
        var definition = SchemaDefinition.Create(typeof(Row));
        classes.Define(definition[nameof(Row.Label)]);
        definition[nameof(Row.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, classes.Count);
        definition[nameof(Row.Features)].ColumnName = featureColumnName;
        IDataView rows = ml.Data.LoadFromEnumerable(Enumerable.Range(0, classes.Count).Select(i => new Row(i, classes.Count)), definition);
        var trainer = ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy(
            nameof(Row.Label), featureColumnName, l1Regularization: 0, l2Regularization: 0.1f, optimizationTolerance: 1e-4f);
        MulticlassPredictionTransformer<MaximumEntropyModelParameters> transformer = trainer.Fit(rows);
        (Transformer, Undo) = (transformer, InverseOf(transformer.Model));
    }

    /// <summary>The predictor.</summary>
    public ITransformer Transformer { get; }

    /// <summary>What is done to logits before the predictor sees them, so that it sees them as they were.</summary>
    public LinearMap Undo { get; }

    /// <summary>A map and then <see cref="Undo"/>, as one.</summary>
    /// <param name="first">The map; null is none.</param>
    public LinearMap After(LinearMap? first)
    {
        if (first is null)
            return Undo;
        using DisposeScope scope = NewDisposeScope();
        long classes = Undo.Offset.Length;
        Tensor undo = Matrix(Undo.Matrix, classes, classes), offset = tensor(first.Offset).to_type(ScalarType.Float64);
        return Map(undo.matmul(Matrix(first.Matrix, classes, first.Matrix.Length / classes)), undo.mv(offset) + tensor(Undo.Offset));
    }

    private static LinearMap InverseOf(MaximumEntropyModelParameters model)
    {
        using DisposeScope scope = NewDisposeScope();
        VBuffer<float>[] weights = [];
        model.GetWeights(ref weights, out int classes);
        float[] matrix = [.. weights.SelectMany(row => row.DenseValues())];
        // The softmax does not see what is added to all logits, so training leaves the sum over classes at zero and the map singular. The same number added
        // to all weights makes up for it, and adds but the same to all logits.
        Tensor map = Matrix(matrix, classes, classes);
        Tensor inverse = (map + map.diagonal().mean() / classes).inverse();
        return Map(inverse, inverse.mv(tensor(model.GetBiases().ToArray()).to_type(ScalarType.Float64)).neg());
    }

    private static Tensor Matrix(float[] values, long rows, long columns) => tensor(values, [rows, columns]).to_type(ScalarType.Float64);

    private static LinearMap Map(Tensor matrix, Tensor offset) => new(Floats(matrix), Floats(offset));

    private static float[] Floats(Tensor values) => values.to_type(ScalarType.Float32).contiguous().data<float>().ToArray();

    /// <summary>A class and a vector that is 1 at its place. In a user's type ML.NET counts keys from 0.</summary>
    private sealed class Row
    {
        public Row(int index, int classes)
        {
            Label = (uint)index;
            Features = new float[classes];
            Features[index] = 1;
        }

        public uint Label { get; set; }

        public float[] Features { get; set; }
    }
}
