using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>The trainers and the evaluation of one kind of task.</summary>
public abstract class TrainCatalogBase : IInternalCatalog
{
    private protected TrainCatalogBase(IHostEnvironment env, string registrationName)
    {
        Contracts.CheckValue(env, nameof(env));
        env.CheckNonEmpty(registrationName, nameof(registrationName));
        Environment = env;
    }

    IHostEnvironment IInternalCatalog.Environment => Environment;

    private protected IHostEnvironment Environment { get; }

    private protected CrossValidationFold[] CrossValidateTrain(
        IDataView data, IEstimator<ITransformer> estimator, int numFolds, string samplingKeyColumn, int? seed = null)
    {
        Environment.CheckValue(data, nameof(data));
        Environment.CheckValue(estimator, nameof(estimator));
        Environment.CheckParam(numFolds > 1, nameof(numFolds), "Must be more than 1");
        string splitColumn = SplitColumn.Add(Environment, ref data, samplingKeyColumn, seed);
        return [.. SplitColumn.Folds(Environment, data, splitColumn, numFolds).Select((split, fold) => Train(split, fold))];

        CrossValidationFold Train(DataOperationsCatalog.TrainTestData split, int fold)
        {
            ITransformer model = estimator.Fit(split.TrainSet);
            IDataView scores = model is ITransformerChainAccessor chain
                ? chain.Transform(split.TestSet, TransformerScope.Everything)
                : model.Transform(split.TestSet);
            return new CrossValidationFold(model, scores, fold);
        }
    }

    private protected readonly record struct CrossValidationFold(ITransformer Model, IDataView Scores, int Fold);

    /// <summary>The result of one fold.</summary>
    public sealed class CrossValidationResult<T>
        where T : class
    {
        public readonly T Metrics;
        public readonly ITransformer Model;
        public readonly IDataView ScoredHoldOutSet;
        public readonly int Fold;

        internal CrossValidationResult(ITransformer model, T metrics, IDataView scores, int fold)
        {
            Model = model;
            Metrics = metrics;
            ScoredHoldOutSet = scores;
            Fold = fold;
        }
    }

    /// <summary>The trainers of a task, by extension methods.</summary>
    public abstract class CatalogInstantiatorBase : IInternalCatalog
    {
        private protected CatalogInstantiatorBase(TrainCatalogBase catalog) => Owner = catalog;

        IHostEnvironment IInternalCatalog.Environment => Owner.Environment;

        internal TrainCatalogBase Owner { get; }
    }
}
