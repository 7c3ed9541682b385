using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

public sealed partial class MulticlassClassificationCatalog
{
    public MulticlassClassificationMetrics Evaluate(
        IDataView data,
        string labelColumnName = DefaultColumnNames.Label,
        string scoreColumnName = DefaultColumnNames.Score,
        string predictedLabelColumnName = DefaultColumnNames.PredictedLabel,
        int topKPredictionCount = 0)
    {
        Environment.CheckValue(data, nameof(data));
        Environment.CheckNonEmpty(labelColumnName, nameof(labelColumnName));
        Environment.CheckNonEmpty(scoreColumnName, nameof(scoreColumnName));
        Environment.CheckNonEmpty(predictedLabelColumnName, nameof(predictedLabelColumnName));
        Environment.CheckUserArg(topKPredictionCount >= 0, nameof(topKPredictionCount), "Must be non-negative");
        IHost host = Environment.Register("MultiClassClassifierEvaluator");
        return MulticlassEvaluation.Evaluate(host, data, labelColumnName, scoreColumnName, predictedLabelColumnName, topKPredictionCount);
    }
}
