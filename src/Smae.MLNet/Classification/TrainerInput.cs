using Microsoft.ML;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>What a trainer of classifiers reads.</summary>
/// <param name="LabelColumnName">The column of labels: keys.</param>
/// <param name="FeatureColumnName">The column of images.</param>
/// <param name="ValidationData">Data that is looked at after an epoch; null is none.</param>
/// <param name="BrokenImages">What happens with images that cannot be read.</param>
internal sealed record TrainerInput(
    string LabelColumnName, string FeatureColumnName, IDataView? ValidationData, BrokenImagePolicy BrokenImages);
