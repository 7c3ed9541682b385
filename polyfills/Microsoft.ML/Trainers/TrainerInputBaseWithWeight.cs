namespace Microsoft.ML.Trainers;

/// <summary>The options of a trainer: the weights of its examples too.</summary>
public abstract class TrainerInputBaseWithWeight : TrainerInputBaseWithLabel
{
    /// <summary>Null gives all examples the same weight.</summary>
    public string ExampleWeightColumnName;

    private protected TrainerInputBaseWithWeight()
    {
    }
}
