namespace Microsoft.ML.Trainers;

public sealed partial class LbfgsMaximumEntropyMulticlassTrainer
{
    /// <summary>Options of the trainer.</summary>
    public sealed class Options : OptionsBase
    {
    }
}
