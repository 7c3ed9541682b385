using System.Collections.Immutable;

namespace Microsoft.ML.Data;

/// <summary>How well a classifier predicts.</summary>
public sealed class MulticlassClassificationMetrics
{
    internal MulticlassClassificationMetrics(MulticlassCounters counters, ConfusionMatrix confusionMatrix, int topKPredictionCount)
    {
        MicroAccuracy = counters.MicroAccuracy;
        MacroAccuracy = counters.MacroAccuracy;
        LogLoss = counters.LogLoss;
        LogLossReduction = counters.LogLossReduction;
        PerClassLogLoss = counters.PerClassLogLoss.ToImmutableArray();
        ConfusionMatrix = confusionMatrix;
        TopKPredictionCount = topKPredictionCount;
        if (topKPredictionCount > 0)
            TopKAccuracyForAllK = counters.TopKAccuracies(topKPredictionCount).ToImmutableArray();
    }

    public double LogLoss { get; }

    public double LogLossReduction { get; }

    public double MacroAccuracy { get; }

    public double MicroAccuracy { get; }

    public double TopKAccuracy => TopKAccuracyForAllK?.LastOrDefault() ?? 0;

    public int TopKPredictionCount { get; }

    /// <summary>Null where it was not asked for.</summary>
    public IReadOnlyList<double> TopKAccuracyForAllK { get; }

    public IReadOnlyList<double> PerClassLogLoss { get; }

    public ConfusionMatrix ConfusionMatrix { get; }
}
