using Microsoft.ML;

namespace Smae.MLNet;

/// <summary>
/// Classifies images with a classifier's ONNX file, a batch of rows at a time: adds <c>PredictedLabel</c> (the key of the likeliest class),
/// <c>Score</c> (the probabilities of all classes) and <c>Probability</c> (that of the predicted class).
/// </summary>
/// <remarks>A saved model gives <c>PredictedLabel</c> and <c>Score</c>. <inheritdoc/></remarks>
public sealed class OnnxClassificationTransformer : OnnxImageTransformer
{
    private readonly LabelClasses _classes;

    internal OnnxClassificationTransformer(OnnxScorer parts, LabelClasses classes) : base(parts) => _classes = classes;

    private protected override void Save(SavedChain chain, ModelSaveContext context) => chain.Save(context, _classes);
}
