using System.Numerics.Tensors;

namespace Microsoft.ML.Trainers;

/// <summary>Scores to probabilities.</summary>
internal static class Softmax
{
    /// <summary>The logarithm of the sum of the exponentials, without overflow.</summary>
    public static float LogSumExp(ReadOnlySpan<float> scores)
    {
        float max = TensorPrimitives.Max(scores);
        float sum = 0;
        foreach (float score in scores)
            sum += MathF.Exp(score - max);
        return max + MathF.Log(sum);
    }

    /// <summary>Probabilities in place of scores.</summary>
    public static void ToProbabilities(Span<float> scores)
    {
        TensorPrimitives.Subtract(scores, LogSumExp(scores), scores);
        TensorPrimitives.Exp(scores, scores);
    }
}
