namespace Smae.Training;

/// <summary>
/// What every kind of run has in common: length, optimiser, schedule, averaging, checkpoints. The defaults differ from kind to kind.
/// </summary>
public abstract record TrainingOptions
{
    private protected TrainingOptions(int epochs, double learningRate, double weightDecay, double beta2) =>
        (Epochs, LearningRate, WeightDecay, Beta2) = (epochs, learningRate, weightDecay, beta2);

    /// <summary>Passes over the images. Default 400 for pretraining, 100 for supervised training, 50 for a linear probe.</summary>
    public int Epochs { get; init; }

    /// <summary>Images in a step. Default 128. With fewer images than that, a step takes all.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>
    /// Learning rate after the warm-up. Default 5e-4 for pretraining, else 1e-3. facebookresearch/mae names rates for 256 images: 1.5e-4 for
    /// pretraining is 1.5e-4 times <see cref="BatchSize"/> / 256 here.
    /// </summary>
    public double LearningRate { get; init; }

    /// <summary>Epochs over which the learning rate rises from 0; null takes a twentieth of <see cref="Epochs"/>. Default null.</summary>
    public double? WarmupEpochs { get; init; }

    /// <summary>Learning rate at the end of the cosine. Default 0.</summary>
    public double MinimumLearningRate { get; init; }

    /// <summary>
    /// Decoupled weight decay of tensors with two and more dimensions; biases and normalisation layers never decay. Default 0.15 for pretraining,
    /// 0.05 for supervised training, 0 for a linear probe.
    /// </summary>
    public double WeightDecay { get; init; }

    /// <summary>
    /// Weight decay at the end of the run, reached along half a cosine by iteration as in DINO (Caron et al. 2021). Default null: it stays as it is.
    /// </summary>
    public double? FinalWeightDecay { get; init; }

    /// <summary>AdamW's decay of the mean of gradients. Default 0.9.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>AdamW's decay of the mean of squared gradients. Default 0.999 for supervised training, else 0.95.</summary>
    public double Beta2 { get; init; }

    /// <summary>Number format of a transformer's matrix products. Default <see cref="Precision.Float32"/>.</summary>
    public Precision Precision { get; init; }

    /// <summary>
    /// What is done to the images of a batch at random, for example <c>Augmentation.HorizontalFlip().Then(Augmentation.RandomResizedCrop(0.2, 1))</c>
    /// as in facebookresearch/mae's pretraining. Default null: nothing, as in the SMAE paper's.
    /// </summary>
    public Augmentation? Augmentation { get; init; }

    /// <summary>
    /// Seed of weights, order, masks and all else that is random. Default null: in ML.NET it comes from the <c>MLContext</c>, elsewhere it is 0.
    /// <see cref="Checkpoints"/> need one: a run with another seed is another run, and does not go on where this one stopped.
    /// </summary>
    public int? Seed { get; init; }

    /// <summary>Largest norm of the gradients over all parameters; larger ones are scaled down. Default null: no limit.</summary>
    public double? ClipGradientNorm { get; init; }

    /// <summary>Parts that a batch is worked through in, to save memory; gradients are averaged over them. Default 1.</summary>
    public int AccumulationSteps { get; init; } = 1;

    /// <summary>
    /// Decay of an exponential moving average of the weights, which takes their place at the end of the run, for example 0.999. Default null: no
    /// average.
    /// </summary>
    public double? WeightAverageDecay { get; init; }

    /// <summary>Where the run saves itself and goes on from; <see cref="Seed"/> must be set. Default null: nowhere.</summary>
    public CheckpointOptions? Checkpoints { get; init; }

    /// <summary>
    /// Where the decoded images lie that ML.NET's trainers read from a data view, and whether the next run may use them. Default null: every option's
    /// default, which keeps nothing. Without ML.NET it has no effect: give it to the <see cref="ImageStore"/>.
    /// </summary>
    public ImageCacheOptions? ImageCache { get; init; }

    /// <summary>Told where the run stands, some five times a second and at each epoch's end. Default null.</summary>
    public IProgress<TrainingProgress>? Progress { get; init; }

    /// <summary>Stops the run between two steps. Default none.</summary>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>Whether gradients are made by libtorch alone, over whole batches, also where Smae has a faster path (<see cref="CpuGradients"/>).</summary>
    internal bool Plain { get; init; }

    /// <summary>See <see cref="CosineSchedule.WarmupIncludesPeak"/>.</summary>
    internal virtual bool WarmupIncludesPeak => false;

    /// <summary>The learning rate of each step.</summary>
    internal CosineSchedule LearningRates(long stepsPerEpoch) =>
        new(LearningRate, (WarmupEpochs ?? Epochs / 20.0) * stepsPerEpoch, stepsPerEpoch * Epochs, MinimumLearningRate)
        {
            WarmupIncludesPeak = WarmupIncludesPeak,
        };

    /// <summary>The weight decay of each step; null if it stays as it is.</summary>
    internal CosineSchedule? WeightDecays(long stepsPerEpoch) =>
        FinalWeightDecay is { } final ? new(WeightDecay, WarmupSteps: 0, stepsPerEpoch * Epochs, final) : null;

    /// <summary>Checks that the options fit together.</summary>
    /// <exception cref="ArgumentException">Something does not: the message names every fault.</exception>
    public void Validate() => Guard.NoFaults(Faults(), GetType().Name);

    internal virtual IEnumerable<string> Faults()
    {
        if (Epochs < 1) yield return $"Epochs is {Epochs}: expected at least 1.";
        if (BatchSize < 1) yield return $"BatchSize is {BatchSize}: expected at least 1.";
        if (!(LearningRate > 0) || !double.IsFinite(LearningRate)) yield return $"LearningRate is {LearningRate}: expected a positive number.";
        if (!(MinimumLearningRate >= 0) || MinimumLearningRate > LearningRate)
            yield return $"MinimumLearningRate is {MinimumLearningRate}: expected a number from 0 to LearningRate ({LearningRate}).";
        if (WarmupEpochs is { } warmup && !(warmup >= 0 && warmup <= Epochs))
            yield return $"WarmupEpochs is {warmup}: expected a number from 0 to Epochs ({Epochs}).";
        if (!(WeightDecay >= 0) || !double.IsFinite(WeightDecay)) yield return $"WeightDecay is {WeightDecay}: expected 0 or a positive number.";
        if (FinalWeightDecay is { } final && !(final >= 0 && double.IsFinite(final) && WeightDecay > 0))
            yield return $"FinalWeightDecay is {final} and WeightDecay {WeightDecay}: expected 0 or more at the end, and more than 0 at the start.";
        if (!(Beta1 is >= 0 and < 1)) yield return $"Beta1 is {Beta1}: expected a number in [0, 1).";
        if (!(Beta2 is >= 0 and < 1)) yield return $"Beta2 is {Beta2}: expected a number in [0, 1).";
        if (ClipGradientNorm is { } norm && !(norm > 0)) yield return $"ClipGradientNorm is {norm}: expected a positive number or null.";
        if (AccumulationSteps < 1) yield return $"AccumulationSteps is {AccumulationSteps}: expected at least 1.";
        if (WeightAverageDecay is { } decay && !(decay is > 0 and < 1))
            yield return $"WeightAverageDecay is {decay}: expected a number in (0, 1) or null.";
        foreach (string fault in Checkpoints?.Faults() ?? []) yield return fault;
        foreach (string fault in ImageCache?.Faults() ?? []) yield return fault;
        if (Checkpoints is not null && Seed is null)
            yield return "Seed is null and Checkpoints are set: a run can only be resumed under the same seed, set one.";
    }
}

/// <summary>
/// Where and how often a run saves itself, so that a run that was stopped, by whatever, can go on. What goes on is a run with the same images, options
/// and seed, so the seed must be set.
/// </summary>
public sealed record CheckpointOptions
{
    /// <summary>The folder of the checkpoints; it is made if it is not there. One folder serves one run.</summary>
    public required string Directory { get; init; }

    /// <summary>
    /// Whether to go on from the newest valid checkpoint of the same run in the folder; files that are torn or of another run are named in the log and passed
    /// over, and without any the run starts at its beginning. Default true.
    /// </summary>
    public bool Resume { get; init; } = true;

    /// <summary>Time between two checkpoints. One more is written at the end and when the run is cancelled. Default 5 minutes.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How many are kept; older ones are deleted. Default 3.</summary>
    public int Keep { get; init; } = 3;

    internal IEnumerable<string> Faults()
    {
        if (string.IsNullOrWhiteSpace(Directory)) yield return "Checkpoints.Directory is empty.";
        if (Interval < TimeSpan.Zero) yield return $"Checkpoints.Interval is {Interval}: expected a time that is not negative.";
        if (Keep < 1) yield return $"Checkpoints.Keep is {Keep}: expected at least 1.";
    }
}
