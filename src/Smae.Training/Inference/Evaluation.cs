using System.Globalization;

namespace Smae.Training;

/// <summary>How well a classifier does on a set of images.</summary>
/// <param name="Count">Images in the set.</param>
/// <param name="Loss">Mean cross entropy, without label smoothing.</param>
/// <param name="Top1">Share of images whose class has the highest score, 0 to 1.</param>
/// <param name="Top5">Share of images whose class is among the five highest scores, 0 to 1.</param>
public sealed record Evaluation(long Count, double Loss, double Top1, double Top5)
{
    /// <summary>Counts how often the true class is among the highest scores.</summary>
    /// <param name="logits">Scores, <c>[images, classes]</c>.</param>
    /// <param name="labels">The true classes, <c>[images]</c>, int64, each in [0, classes).</param>
    /// <exception cref="ArgumentException">The shapes do not fit each other, or there is no image.</exception>
    public static Evaluation Of(Tensor logits, Tensor labels)
    {
        if (logits.dim() != 2 || labels.dim() != 1 || logits.size(0) != labels.size(0) || labels.size(0) == 0)
            throw new ArgumentException(
                $"Scores of shape [{string.Join(", ", logits.shape)}] and labels of shape [{string.Join(", ", labels.shape)}]: "
                + "expected [images, classes] and [images].",
                nameof(logits));
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        logits = logits.to_type(ScalarType.Float32);
        double loss = logits.log_softmax(-1).gather(1, labels.unsqueeze(1)).mean().neg().AsDouble();
        return FromRanks(Ranks(logits, labels), loss);
    }

    /// <summary>Evaluates over a whole set, each rank some of the blocks; the model must be in evaluation mode.</summary>
    internal static Evaluation Of(
        Func<long[], Tensor> logits, LabelledImages images, int batchSize, Device device, Ranks ranks, CancellationToken cancellation = default)
    {
        using var noGrad = no_grad();
        long[][] blocks = [.. images.Blocks(batchSize)];
        List<Evaluation> parts = [];
        (int begin, int end) = ranks.OwnOf(blocks.Length);
        for (int i = begin; i < end; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            using DisposeScope scope = NewDisposeScope();
            parts.Add(Of(logits(blocks[i]), images.Labels(blocks[i], device)));
        }
        return Together(parts, ranks);
    }

    /// <summary>
    /// How many classes come before the true one, <c>[images]</c>, int64. Of equal scores the earlier class comes first; a score that is not a number makes the
    /// true class the last.
    /// </summary>
    internal static Tensor Ranks(Tensor scores, Tensor labels)
    {
        Tensor places = labels.unsqueeze(1), own = scores.gather(1, places);
        Tensor earlier = TensorArithmetic.Range(scores.size(1), ScalarType.Int64, scores.device).unsqueeze(0).lt(places);
        Tensor before = scores.le(own).logical_not().logical_or(scores.eq(own).logical_and(earlier));
        return before.to_type(ScalarType.Int64).sum(1L);
    }

    internal static Evaluation FromRanks(Tensor ranks, double loss)
    {
        double Share(int top) => ranks.IsBelow(top).to_type(ScalarType.Float32).sum().AsDouble() / ranks.size(0);
        return new Evaluation(ranks.size(0), loss, Share(1), Share(5));
    }

    /// <summary>The evaluation of several sets as one, with those of the other ranks.</summary>
    internal static Evaluation Together(IReadOnlyCollection<Evaluation> parts, Ranks ranks)
    {
        double Sum(Func<Evaluation, double> of) => parts.Sum(p => of(p) * p.Count);
        double[] sums = ranks.Sum("the validation", parts.Sum(p => p.Count), Sum(p => p.Loss), Sum(p => p.Top1), Sum(p => p.Top5));
        return new Evaluation((long)sums[0], sums[1] / sums[0], sums[2] / sums[0], sums[3] / sums[0]);
    }

    /// <summary>Whether this is better than another: more right, or as many and a lower loss.</summary>
    internal bool IsBetterThan(Evaluation other) => Top1 > other.Top1 || (Top1 == other.Top1 && Loss < other.Loss);

    /// <summary>One line for people.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"loss {Loss:F4}, top-1 {Top1:P2}, top-5 {Top5:P2}");
}
