using Microsoft.ML;
using Microsoft.ML.Data;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>Classifies images: what the trainers <c>VisionTransformer</c>, <c>LinearProbe</c> and <c>SqueezeNet</c> make.</summary>
/// <remarks>
/// <para>
/// It adds <c>PredictedLabel</c> (the key of the likeliest class), <c>Score</c> (the probabilities of all classes) and <c>Probability</c>
/// (that of the predicted class). Nothing is computed before it is read; a cursor scores up to 64 rows together, while the images of the
/// next ones are decoded on other cores. Where an image cannot be read the scores are NaN and the predicted label is missing, with a
/// warning in the log of the <see cref="MLContext"/>; <see cref="BrokenImagePolicy.Fail"/> makes it an <see cref="InvalidDataException"/>
/// instead.
/// </para>
/// <para>
/// <c>mlContext.Model.Save</c> writes it as a chain of ML.NET's own transformers, which loads in an application that has never heard of Smae and gives
/// <c>PredictedLabel</c> and <c>Score</c>. It reads what the column held in training: paths, or images.
/// </para>
/// <para>
/// Any number of threads may read at the same time. <see cref="Dispose"/> frees the weights. A <c>PredictionEngine</c> disposes its
/// transformer, unless <c>PredictionEngineOptions.OwnsTransformer</c> is false.
/// </para>
/// </remarks>
/// <typeparam name="TModel">The kind of model.</typeparam>
public sealed class ImageClassificationTransformer<TModel> : ISingleFeaturePredictionTransformer<TModel>, IDisposable
    where TModel : class, IDisposable
{
    private readonly ImageScorer _scorer;
    private readonly SavedChain _saved;
    private readonly LabelClasses _classes;

    internal ImageClassificationTransformer(
        ImageScorer scorer, SavedChain saved, LabelClasses classes, SupervisedResult<TModel> training, string labelColumnName,
        DataViewType featureColumnType)
    {
        (_scorer, _saved, _classes) = (scorer, saved, classes);
        Training = training;
        LabelColumnName = labelColumnName;
        FeatureColumnType = featureColumnType;
    }

    /// <summary>The trained model. Save it with its own <c>Save(path)</c>.</summary>
    public TModel Model => Training.Model;

    /// <summary>How training went: every epoch's loss and validation, the best epoch, speed.</summary>
    public SupervisedResult<TModel> Training { get; }

    /// <summary>The column of images.</summary>
    public string FeatureColumnName => _scorer.InputColumnName;

    /// <summary>The type that the column of images had in training; scoring takes images in any form.</summary>
    public DataViewType FeatureColumnType { get; }

    /// <summary>The column of labels that it was trained on; scoring does not need it.</summary>
    public string LabelColumnName { get; }

    /// <summary>What happens where an image cannot be read.</summary>
    public BrokenImagePolicy BrokenImages => _scorer.BrokenImages;

    /// <summary>Always true: a row's scores depend on that row only.</summary>
    public bool IsRowToRowMapper => true;

    /// <summary>The schema with the columns added.</summary>
    /// <param name="inputSchema">A schema with the column of images.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => _scorer.MapperFor(inputSchema).OutputSchema;

    /// <summary>A mapper from rows of <paramref name="inputSchema"/> to scored rows, computed one row at a time.</summary>
    /// <param name="inputSchema">A schema with the column of images.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => _scorer.MapperFor(inputSchema);

    /// <summary>The data with the columns added. Nothing is computed until it is read.</summary>
    /// <param name="input">Data with the column of images.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    public IDataView Transform(IDataView input) => _scorer.Transform(input);

    /// <summary>Frees the weights.</summary>
    public void Dispose() => (_scorer.Model as IDisposable)?.Dispose();

    void ICanSaveModel.Save(ModelSaveContext ctx) => _saved.Save(ctx, _classes);
}
