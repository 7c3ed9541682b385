using Microsoft.ML.Data;

namespace Microsoft.ML.Trainers;

/// <summary>A model that gives a score for each class.</summary>
internal interface IMulticlassModel : ICanSaveModel
{
    int ClassCount { get; }

    int FeatureCount { get; }

    void Score(in VBuffer<float> features, ref VBuffer<float> scores);
}
