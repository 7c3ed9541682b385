using System.Numerics.Tensors;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers;

/// <summary>The loss of a range of rows and its gradient.</summary>
internal sealed class SoftmaxGradient(TrainingRows rows, int classCount, int featureCount)
{
    private const int Block = 4;

    /// <summary>Row after row: scores, then what the features are multiplied by in the gradient.</summary>
    private readonly float[] _scores = new float[Block * classCount];

    /// <summary>Stands for the rows that a block lacks.</summary>
    private readonly float[] _zeros = new float[featureCount];

    /// <summary>Gives the loss and overwrites the gradient.</summary>
    public float Accumulate(int start, int end, float[] point, float[] gradient)
    {
        Array.Clear(gradient);
        // Double, lest many small losses vanish beside their sum.
        double loss = 0;
        for (int row = start; row < end;)
        {
            if (rows.Features[row].IsDense)
            {
                int count = DenseRun(row, Math.Min(end, row + Block));
                loss += AddDense(row, count, point, gradient);
                row += count;
            }
            else
            {
                loss += AddSparse(row, point, gradient);
                row++;
            }
        }

        return (float)loss;
    }

    private int DenseRun(int start, int end)
    {
        int row = start;
        while (row < end && rows.Features[row].IsDense)
            row++;
        return row - start;
    }

    private double AddDense(int start, int count, float[] point, float[] gradient)
    {
        ReadOnlySpan<float> a = rows.Features[start].GetValues();
        ReadOnlySpan<float> b = count > 1 ? rows.Features[start + 1].GetValues() : _zeros;
        ReadOnlySpan<float> c = count > 2 ? rows.Features[start + 2].GetValues() : _zeros;
        ReadOnlySpan<float> d = count > 3 ? rows.Features[start + 3].GetValues() : _zeros;
        for (int k = 0; k < classCount; k++)
        {
            (float dotA, float dotB, float dotC, float dotD) = BlockKernels.Dot(WeightsOf(point, k), a, b, c, d);
            _scores[k] = point[k] + dotA;
            _scores[classCount + k] = point[k] + dotB;
            _scores[(2 * classCount) + k] = point[k] + dotC;
            _scores[(3 * classCount) + k] = point[k] + dotD;
        }

        double loss = 0;
        for (int i = 0; i < count; i++)
            loss += ScoresToSlopes(start + i, ScoresOf(i));
        _scores.AsSpan(count * classCount).Clear();
        for (int k = 0; k < classCount; k++)
        {
            (float byA, float byB) = (_scores[k], _scores[classCount + k]);
            (float byC, float byD) = (_scores[(2 * classCount) + k], _scores[(3 * classCount) + k]);
            BlockKernels.AddMultiples(WeightsOf(gradient, k), a, byA, b, byB, c, byC, d, byD);
            gradient[k] += byA + byB + byC + byD;
        }

        return loss;
    }

    private double AddSparse(int row, float[] point, float[] gradient)
    {
        ReadOnlySpan<float> values = rows.Features[row].GetValues();
        ReadOnlySpan<int> indices = rows.Features[row].GetIndices();
        Span<float> scores = ScoresOf(0);
        for (int k = 0; k < classCount; k++)
        {
            ReadOnlySpan<float> weights = WeightsOf(point, k);
            scores[k] = point[k];
            for (int i = 0; i < indices.Length; i++)
                scores[k] += weights[indices[i]] * values[i];
        }

        double loss = ScoresToSlopes(row, scores);
        for (int k = 0; k < classCount; k++)
        {
            Span<float> slopes = WeightsOf(gradient, k);
            for (int i = 0; i < indices.Length; i++)
                slopes[indices[i]] += scores[k] * values[i];
            gradient[k] += scores[k];
        }

        return loss;
    }

    /// <summary>Gives weight times loss; in place of the scores come weight times (probability, less 1 for the label).</summary>
    private float ScoresToSlopes(int row, Span<float> scores)
    {
        int label = rows.Labels[row];
        float weight = rows.Weights[row];
        float logZ = Softmax.LogSumExp(scores);
        float loss = logZ - scores[label];
        Contracts.Check(float.IsFinite(loss), "Data contain bad values.");
        TensorPrimitives.Subtract(scores, logZ, scores);
        TensorPrimitives.Exp(scores, scores);
        scores[label] -= 1;
        TensorPrimitives.Multiply(scores, weight, scores);
        return weight * loss;
    }

    private Span<float> ScoresOf(int i) => _scores.AsSpan(i * classCount, classCount);

    private Span<float> WeightsOf(float[] vector, int k) => vector.AsSpan(classCount + (k * featureCount), featureCount);
}
