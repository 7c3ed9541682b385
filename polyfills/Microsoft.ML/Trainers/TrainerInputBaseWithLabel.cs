using Microsoft.ML.Data;

namespace Microsoft.ML.Trainers;

/// <summary>The options of a trainer: its label too.</summary>
public abstract class TrainerInputBaseWithLabel : TrainerInputBase
{
    public string LabelColumnName = DefaultColumnNames.Label;

    private protected TrainerInputBaseWithLabel()
    {
    }
}
