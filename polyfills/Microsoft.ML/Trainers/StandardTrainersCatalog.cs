using Microsoft.ML.Data;
using Microsoft.ML.Trainers;

namespace Microsoft.ML;

/// <summary>The trainers of linear models.</summary>
public static class StandardTrainersCatalog
{
    public static LbfgsMaximumEntropyMulticlassTrainer LbfgsMaximumEntropy(
        this MulticlassClassificationCatalog.MulticlassClassificationTrainers catalog,
        string labelColumnName = DefaultColumnNames.Label,
        string featureColumnName = DefaultColumnNames.Features,
        string exampleWeightColumnName = null,
        float l1Regularization = 1,
        float l2Regularization = 1,
        float optimizationTolerance = 1e-7f,
        int historySize = 20,
        bool enforceNonNegativity = false) =>
        catalog.LbfgsMaximumEntropy(new LbfgsMaximumEntropyMulticlassTrainer.Options
        {
            LabelColumnName = labelColumnName,
            FeatureColumnName = featureColumnName,
            ExampleWeightColumnName = exampleWeightColumnName,
            L1Regularization = l1Regularization,
            L2Regularization = l2Regularization,
            OptimizationTolerance = optimizationTolerance,
            HistorySize = historySize,
            EnforceNonNegativity = enforceNonNegativity,
        });

    public static LbfgsMaximumEntropyMulticlassTrainer LbfgsMaximumEntropy(
        this MulticlassClassificationCatalog.MulticlassClassificationTrainers catalog, LbfgsMaximumEntropyMulticlassTrainer.Options options) =>
        new(CatalogUtils.GetEnvironment(catalog), options);
}
