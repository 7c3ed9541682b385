namespace Microsoft.ML.Trainers;

public abstract partial class LbfgsTrainerBase<TOptions, TTransformer, TModel>
{
    /// <summary>Options of the optimizer.</summary>
    public abstract class OptionsBase : TrainerInputBaseWithWeight
    {
        public float L2Regularization = 1;
        public float L1Regularization = 1;
        public float OptimizationTolerance = 1e-7f;
        public int HistorySize = 20;
        public int MaximumNumberOfIterations = int.MaxValue;
        public bool Quiet;
        public float InitialWeightsDiameter;

        /// <summary>Null for all processors.</summary>
        public int? NumberOfThreads;

        /// <summary>Without effect here: vectors are always dense.</summary>
        public bool DenseOptimizer;

        public bool EnforceNonNegativity;
    }
}
