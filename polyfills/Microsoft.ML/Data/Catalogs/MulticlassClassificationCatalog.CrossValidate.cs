using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

public sealed partial class MulticlassClassificationCatalog
{
    public IReadOnlyList<CrossValidationResult<MulticlassClassificationMetrics>> CrossValidate(
        IDataView data, IEstimator<ITransformer> estimator, int numberOfFolds = 5, string labelColumnName = DefaultColumnNames.Label,
        string samplingKeyColumnName = null, int? seed = null)
    {
        Environment.CheckNonEmpty(labelColumnName, nameof(labelColumnName));
        CrossValidationFold[] folds = CrossValidateTrain(data, estimator, numberOfFolds, samplingKeyColumnName, seed);
        return
        [
            .. folds.Select(f => new CrossValidationResult<MulticlassClassificationMetrics>(
                f.Model, Evaluate(f.Scores, labelColumnName), f.Scores, f.Fold)),
        ];
    }
}
