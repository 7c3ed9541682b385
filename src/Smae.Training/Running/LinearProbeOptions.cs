namespace Smae.Training;

/// <summary>
/// How a linear classifier is trained on a frozen encoder. The defaults are those of the SMAE paper: Adam at 1e-3, no weight decay, betas 0.9 and
/// 0.95, 50 epochs. <see cref="TrainingOptions.Precision"/> has no meaning here: the encoder keeps its own, the classifier is float32.
/// </summary>
public sealed record LinearProbeOptions : SupervisedOptions
{
    /// <summary>Options with 50 epochs at 1e-3, no weight decay, betas 0.9 and 0.95.</summary>
    public LinearProbeOptions() : base(epochs: 50, learningRate: 1e-3, weightDecay: 0, beta2: 0.95)
    {
    }

    /// <summary>What trains the classifier. Default <see cref="ProbeOptimizer.Adam"/>.</summary>
    public ProbeOptimizer Optimizer { get; init; } = ProbeOptimizer.Adam;

    /// <summary>
    /// Whether batch normalisation without affine (epsilon 1e-6) stands before the classifier, as in facebookresearch/mae. Default false.
    /// </summary>
    public bool BatchNorm { get; init; }

    /// <summary>How tokens become one vector, after the encoder's final norm; null takes the encoder's own way. Default null.</summary>
    public Pooling? Pooling { get; init; }

    internal override IEnumerable<string> Faults()
    {
        foreach (string fault in base.Faults()) yield return fault;
        if (Mixing is not null) yield return "Mixing is set: a linear probe trains on embeddings, which are not mixed; leave it null.";
    }
}
