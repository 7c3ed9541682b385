using Microsoft.ML.Data;

namespace Microsoft.ML.Trainers;

/// <summary>The options of a trainer: its features.</summary>
public abstract class TrainerInputBase
{
    public string FeatureColumnName = DefaultColumnNames.Features;

    private protected TrainerInputBase()
    {
    }
}
