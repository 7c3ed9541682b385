using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers;

/// <summary>A trainer that minimises by limited-memory BFGS.</summary>
public abstract partial class LbfgsTrainerBase<TOptions, TTransformer, TModel> : TrainerEstimatorBase<TTransformer, TModel>
    where TOptions : LbfgsTrainerBase<TOptions, TTransformer, TModel>.OptionsBase, new()
    where TTransformer : ISingleFeaturePredictionTransformer<TModel>
    where TModel : class
{
    private protected readonly TOptions TrainerOptions;

    private protected LbfgsTrainerBase(IHostEnvironment env, TOptions options, SchemaShape.Column labelColumn)
        : base(
            Contracts.CheckRef(env, nameof(env)).Register("LbfgsTrainerBase"),
            new SchemaShape.Column(options.FeatureColumnName, SchemaShape.Column.VectorKind.Vector, NumberDataViewType.Single, false),
            labelColumn,
            WeightColumnOf(options))
    {
        TrainerOptions = options;
        Host.CheckUserArg(options.NumberOfThreads is null or > 0, nameof(options.NumberOfThreads), "Must be positive (or empty for default)");
        Host.CheckUserArg(options.L2Regularization >= 0, nameof(options.L2Regularization), "Must be non-negative");
        Host.CheckUserArg(options.L1Regularization >= 0, nameof(options.L1Regularization), "Must be non-negative");
        Host.CheckUserArg(options.OptimizationTolerance > 0, nameof(options.OptimizationTolerance), "Must be positive");
        Host.CheckUserArg(options.HistorySize > 0, nameof(options.HistorySize), "Must be positive");
        Host.CheckUserArg(options.MaximumNumberOfIterations > 0, nameof(options.MaximumNumberOfIterations), "Must be positive");
    }

    public override TrainerInfo Info { get; } = new();

    private static SchemaShape.Column WeightColumnOf(TOptions options) =>
        options.ExampleWeightColumnName == null
            ? default
            : new SchemaShape.Column(options.ExampleWeightColumnName, SchemaShape.Column.VectorKind.Scalar, NumberDataViewType.Single, false);
}
