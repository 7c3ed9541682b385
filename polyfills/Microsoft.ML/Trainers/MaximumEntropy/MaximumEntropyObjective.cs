using System.Numerics.Tensors;

namespace Microsoft.ML.Trainers;

/// <summary>What training minimises, but for the absolute weights.</summary>
/// <remarks>
/// The cross-entropy of a softmax summed over the rows, plus half the regularisation times the squared weights, all divided by the sum of the
/// rows' weights. The coordinates are the biases of the classes, which are not regularised, then for each class a weight a feature.
/// </remarks>
internal sealed class MaximumEntropyObjective
{
    /// <summary>With fewer rows a thread there is a thread for so many rows.</summary>
    private const int FewestRowsAThread = 10;
    private const int RowsAThreadOtherwise = 100;

    private readonly int _classCount;
    private readonly float _l2Weight;
    private readonly float _scale;
    private readonly Part[] _parts;

    public MaximumEntropyObjective(TrainingRows rows, int classCount, int featureCount, float l2Weight, int threadCount)
    {
        _classCount = classCount;
        _l2Weight = l2Weight;
        _scale = 1 / (float)rows.WeightSum;
        Dimension = classCount * (1 + featureCount);
        if (rows.Count / threadCount < FewestRowsAThread)
            threadCount = Math.Max(1, rows.Count / RowsAThreadOtherwise);
        _parts = new Part[threadCount];
        for (int i = 0, start = 0; i < threadCount; i++)
        {
            int left = threadCount - i;
            int end = start + ((rows.Count - start + left - 1) / left);
            _parts[i] = new Part(new SoftmaxGradient(rows, classCount, featureCount), start, end, new float[Dimension]);
            start = end;
        }
    }

    public int Dimension { get; }

    public float Evaluate(ReadOnlySpan<float> point, Span<float> gradient)
    {
        // Threads cannot share a span; the copy is small beside the rows.
        float[] copy = point.ToArray();
        Parallel.For(0, _parts.Length, i => _parts[i].Run(copy));
        float loss = 0;
        gradient.Clear();
        foreach (Part part in _parts)
        {
            loss += part.Loss;
            TensorPrimitives.Add(gradient, part.Gradient, gradient);
        }

        float regularization = 0;
        if (_l2Weight > 0)
        {
            ReadOnlySpan<float> weights = point[_classCount..];
            Span<float> slopes = gradient[_classCount..];
            TensorPrimitives.MultiplyAdd(weights, _l2Weight, slopes, slopes);
            regularization = TensorPrimitives.SumOfSquares(weights) * _l2Weight * 0.5f;
        }

        TensorPrimitives.Multiply(gradient, _scale, gradient);
        return (loss + regularization) * _scale;
    }

    /// <summary>What one thread does.</summary>
    private sealed class Part(SoftmaxGradient softmax, int start, int end, float[] gradient)
    {
        public float[] Gradient => gradient;

        public float Loss { get; private set; }

        public void Run(float[] point) => Loss = softmax.Accumulate(start, end, point, gradient);
    }
}
