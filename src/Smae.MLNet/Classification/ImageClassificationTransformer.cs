using Microsoft.ML;
using Microsoft.ML.Data;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>
/// Classifies images: what the trainers <c>VisionTransformer</c>, <c>LinearProbe</c> and <c>SqueezeNet</c> make. It adds <c>PredictedLabel</c> (the key of
/// the likeliest class), <c>Score</c> (the probabilities of all classes) and <c>Probability</c> (that of the predicted class).
/// </summary>
/// <remarks>
/// <para>Where an image cannot be read the predicted label is missing. A saved model gives <c>PredictedLabel</c> and <c>Score</c>.</para>
/// <inheritdoc/>
/// </remarks>
/// <typeparam name="TModel">The kind of model.</typeparam>
public sealed class ImageClassificationTransformer<TModel> : ImageTransformer, ISingleFeaturePredictionTransformer<TModel>
    where TModel : class, IDisposable
{
    private readonly LabelClasses _classes;

    internal ImageClassificationTransformer(
        ImageScoring scoring, LabelClasses classes, SupervisedResult<TModel> training, string labelColumnName, DataViewType featureColumnType)
        : base(scoring)
    {
        _classes = classes;
        (Training, LabelColumnName, FeatureColumnType) = (training, labelColumnName, featureColumnType);
    }

    /// <summary>The trained model, disposed with this transformer. Save it with its own <c>Save(path)</c>.</summary>
    public TModel Model => Training.Model;

    /// <summary>How training went: every epoch's loss and validation, the best epoch, speed.</summary>
    public SupervisedResult<TModel> Training { get; }

    /// <summary>The column of images.</summary>
    public string FeatureColumnName => InputColumnName;

    /// <summary>The type that the column of images had in training; scoring takes images in any form.</summary>
    public DataViewType FeatureColumnType { get; }

    /// <summary>The column of labels that it was trained on; scoring does not need it.</summary>
    public string LabelColumnName { get; }

    private protected override void Save(SavedChain chain, ModelSaveContext context) => chain.SaveClasses(context, _classes);
}
