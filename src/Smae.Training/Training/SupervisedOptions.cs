namespace Smae.Training;

/// <summary>
/// How a model is trained on images with labels. The defaults are those of the SMAE paper's fine-tuning on Tiny ImageNet (AdamW at 1e-3, 100 epochs,
/// 5 of them warm-up), without its augmentation.
/// </summary>
public record SupervisedOptions : TrainingOptions
{
    /// <summary>Options with 100 epochs at 1e-3, weight decay 0.05, betas 0.9 and 0.999.</summary>
    public SupervisedOptions() : base(epochs: 100, learningRate: 1e-3, weightDecay: 0.05, beta2: 0.999)
    {
    }

    private protected SupervisedOptions(int epochs, double learningRate, double weightDecay, double beta2)
        : base(epochs, learningRate, weightDecay, beta2)
    {
    }

    /// <summary>What of a label is spread over all classes, in [0, 1). Default 0. MAE fine-tunes with 0.1.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>
    /// How images of a batch and their labels are mixed, for example <c>new MixupOrCutmix(0.8, 1)</c> as in MAE. Default null: not at all.
    /// </summary>
    public LabelMixing? Mixing { get; init; }

    /// <summary>
    /// Names of the classes in the order of their labels; as many as there are classes. Default null: there are as many as the labels of the training
    /// images say, without names.
    /// </summary>
    public IReadOnlyList<string>? ClassNames { get; init; }

    /// <summary>Epochs between two looks at the validation images; the last epoch is always looked at. Default 1.</summary>
    public int ValidateEvery { get; init; } = 1;

    /// <summary>
    /// Whether the weights of the epoch that did best on the validation images (highest top-1, then lowest loss, then the earlier) are the result.
    /// Default true. Else it is those of the last epoch, as in the papers. Without validation images it makes no difference.
    /// </summary>
    public bool KeepBest { get; init; } = true;

    /// <summary>
    /// Looks at the validation images without a new best after which the run ends. Default null: it goes on to the last epoch.
    /// </summary>
    public int? Patience { get; init; }

    internal override IEnumerable<string> Faults()
    {
        foreach (string fault in base.Faults()) yield return fault;
        if (!(LabelSmoothing is >= 0 and < 1)) yield return $"LabelSmoothing is {LabelSmoothing}: expected a number in [0, 1).";
        if (ClassNames is { Count: < 2 }) yield return $"ClassNames has {ClassNames.Count} names: expected at least 2.";
        if (ValidateEvery < 1) yield return $"ValidateEvery is {ValidateEvery}: expected at least 1.";
        if (Patience is < 1) yield return $"Patience is {Patience}: expected at least 1, or null.";
    }
}
