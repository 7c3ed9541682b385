using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers;

/// <summary>Linear functions whose softmax are the probabilities of the classes.</summary>
[LoadableModel(LoaderSignature)]
public sealed class MaximumEntropyModelParameters : LinearMulticlassModelParametersBase
{
    internal const string LoaderSignature = "MultiClassLRExec";

    internal MaximumEntropyModelParameters(IHostEnvironment env, ReadOnlySpan<float> parameters, int classCount)
        : base(env, "MulticlassLogisticRegressionPredictor", parameters, classCount)
    {
    }

    private static MaximumEntropyModelParameters Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        (float[] parameters, int classCount) = ReadParameters(ctx);
        return new MaximumEntropyModelParameters(env, parameters, classCount);
    }

    private protected override void SaveCore(ModelSaveContext ctx)
    {
        ctx.SetVersionInfo(LoaderSignature);
        WriteParameters(ctx);
    }

    private protected override void Calibrate(Span<float> scores) => Softmax.ToProbabilities(scores);
}
