using Microsoft.ML.Data;
using Microsoft.ML.Numeric;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers;

/// <summary>Multinomial logistic regression.</summary>
public sealed partial class LbfgsMaximumEntropyMulticlassTrainer : LbfgsTrainerBase<
    LbfgsMaximumEntropyMulticlassTrainer.Options,
    MulticlassPredictionTransformer<MaximumEntropyModelParameters>,
    MaximumEntropyModelParameters>
{
    /// <summary>How fast improvements are forgotten when the end is judged.</summary>
    private const float Decay = 0.25f;

    private MaximumEntropyModelParameters _start;

    internal LbfgsMaximumEntropyMulticlassTrainer(IHostEnvironment env, Options options)
        : base(env, options, new SchemaShape.Column(options.LabelColumnName, SchemaShape.Column.VectorKind.Scalar, NumberDataViewType.UInt32, true))
    {
    }

    /// <summary>Trains on from a model; later calls that give none go on from the same, as with the original.</summary>
    public MulticlassPredictionTransformer<MaximumEntropyModelParameters> Fit(IDataView trainData, MaximumEntropyModelParameters modelParameters)
    {
        _start = modelParameters ?? _start;
        return Fit(trainData);
    }

    private protected override SchemaShape.Column[] GetOutputColumnsCore(SchemaShape inputSchema)
    {
        inputSchema.TryFindColumn(LabelColumn.Name, out SchemaShape.Column label);
        var score = new SchemaShape(AnnotationUtils.AnnotationsForMulticlassScoreColumn(label));
        var predictedLabel = new SchemaShape(
            label.Annotations.Where(a => a.Name == AnnotationUtils.Kinds.KeyValues).Concat(AnnotationUtils.GetTrainerOutputAnnotation()));
        return
        [
            new(DefaultColumnNames.Score, SchemaShape.Column.VectorKind.Vector, NumberDataViewType.Single, false, score),
            new(DefaultColumnNames.PredictedLabel, SchemaShape.Column.VectorKind.Scalar, NumberDataViewType.UInt32, true, predictedLabel),
        ];
    }

    private protected override MulticlassPredictionTransformer<MaximumEntropyModelParameters> MakeTransformer(
        MaximumEntropyModelParameters model, DataViewSchema trainSchema) =>
        new(Host, model, trainSchema, FeatureColumn.Name, LabelColumn.Name);

    private protected override MaximumEntropyModelParameters TrainModelCore(IDataView trainSet)
    {
        int classCount = trainSet.Schema[LabelColumn.Name].Type.GetKeyCountAsInt32(Host);
        int featureCount = trainSet.Schema[FeatureColumn.Name].Type.GetVectorSize();
        using IChannel ch = Host.Start("Training");
        TrainingRows rows = TrainingRows.Read(ch, trainSet, FeatureColumn.Name, LabelColumn.Name, WeightColumn.Name);
        ch.Check(rows.Count > 0, NoTrainingInstancesMessage);
        int threadCount = TrainerOptions.NumberOfThreads ?? Environment.ProcessorCount;
        var objective = new MaximumEntropyObjective(rows, classCount, featureCount, TrainerOptions.L2Regularization, threadCount);
        float[] parameters = Minimize(ch, objective, StartingPoint(objective.Dimension, featureCount), classCount, rows.Count);
        if (classCount == 1)
            ch.Warning("Training resulted in a one class predictor");
        return new MaximumEntropyModelParameters(Host, parameters, classCount);
    }

    private float[] Minimize(IChannel ch, MaximumEntropyObjective objective, float[] start, int classCount, int rowCount)
    {
        Options options = TrainerOptions;
        LbfgsState state = options.L1Regularization > 0
            ? new OwlqnState(
                objective.Evaluate, start, options.HistorySize, options.EnforceNonNegativity, classCount, options.L1Regularization / rowCount)
            : new LbfgsState(objective.Evaluate, start, options.HistorySize, options.EnforceNonNegativity);
        try
        {
            return Lbfgs.Minimize(Host, state, new MeanImprovement(options.OptimizationTolerance, Decay, options.MaximumNumberOfIterations));
        }
        catch (PrematureConvergenceException e)
        {
            if (!options.Quiet)
                ch.Warning("Premature convergence occurred. The OptimizationTolerance may be set too small. {0}", e.Message);
            return e.Point;
        }
    }

    private float[] StartingPoint(int dimension, int featureCount)
    {
        if (_start != null)
        {
            Host.Check(
                _start.FeatureCount == featureCount, "The input training data must have the same features used to train the input predictor.");
            return _start.ToParameters();
        }

        var start = new float[dimension];
        float diameter = TrainerOptions.InitialWeightsDiameter;
        for (int i = 0; diameter > 0 && i < start.Length; i++)
            start[i] = diameter * (Host.Rand.NextFloat() - 0.5f);
        return start;
    }
}
