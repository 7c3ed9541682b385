using System.ComponentModel.DataAnnotations;

namespace Smae.Training;

/// <summary>What every kind of run has in common: length, optimiser, schedule, averaging, checkpoints. The defaults differ from kind to kind.</summary>
public abstract record TrainingOptions
{
    private protected TrainingOptions(int epochs, double learningRate, double weightDecay, double beta2) =>
        (Epochs, LearningRate, WeightDecay, Beta2) = (epochs, learningRate, weightDecay, beta2);

    /// <summary>Passes over the images. Default 400 for pretraining, 100 for supervised training, 50 for a linear probe.</summary>
    [Range(1, int.MaxValue)] public int Epochs { get; init; }

    /// <summary>
    /// Time that training may take, validation and checkpoints included, decoding not. The run measures its speed in its first steps and, up to a tenth of the
    /// time, over its first epochs, and has as many epochs as end in time, at most <see cref="Epochs"/>; schedule and warm-up shrink with them. Where fewer
    /// than four fit, they leave out some of the images, others in each. The decision is told in the log and kept in checkpoints, so that a run that was stopped
    /// goes on as it would have; a machine that becomes slower later ends later. Default null: <see cref="Epochs"/> as they are.
    /// </summary>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] public TimeSpan? TimeBudget { get; init; }

    /// <summary>Images in a step. Default 128. With fewer images than that, a step takes all.</summary>
    [Range(1, int.MaxValue)] public int BatchSize { get; init; } = 128;

    /// <summary>
    /// Learning rate after the warm-up. Default 5e-4 for pretraining, else 1e-3. facebookresearch/mae names rates for 256 images: 1.5e-4 for pretraining is
    /// 1.5e-4 times <see cref="BatchSize"/> / 256 here.
    /// </summary>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)] public double LearningRate { get; init; }

    /// <summary>Epochs over which the learning rate rises from 0; null takes a twentieth of <see cref="Epochs"/>. Default null.</summary>
    [Range(0, double.MaxValue)] public double? WarmupEpochs { get; init; }

    /// <summary>Learning rate at the end of the cosine. Default 0.</summary>
    [Range(0, double.MaxValue)] public double MinimumLearningRate { get; init; }

    /// <summary>
    /// Decoupled weight decay of tensors with two and more dimensions; biases and normalisation layers never decay. Default 0.15 for pretraining, 0.05 for
    /// supervised training, 0 for a linear probe.
    /// </summary>
    [Range(0, double.MaxValue)] public double WeightDecay { get; init; }

    /// <summary>Weight decay at the end, reached along half a cosine by iteration (DINO, Caron et al. 2021). Default null: it stays as it is.</summary>
    [Range(0, double.MaxValue)] public double? FinalWeightDecay { get; init; }

    /// <summary>AdamW's decay of the mean of gradients. Default 0.9.</summary>
    [Range(0, 1.0, MaximumIsExclusive = true)] public double Beta1 { get; init; } = 0.9;

    /// <summary>AdamW's decay of the mean of squared gradients. Default 0.999 for supervised training, else 0.95.</summary>
    [Range(0, 1.0, MaximumIsExclusive = true)] public double Beta2 { get; init; }

    /// <summary>Number format of a transformer's matrix products. Default <see cref="Precision.Float32"/>.</summary>
    public Precision Precision { get; init; }

    /// <summary>
    /// What is done to the images of a batch at random, for example <c>Augmentation.HorizontalFlip().Then(Augmentation.RandomResizedCrop(0.2, 1))</c> as in
    /// facebookresearch/mae's pretraining. Default null: nothing, as in the SMAE paper's.
    /// </summary>
    public Augmentation? Augmentation { get; init; }

    /// <summary>
    /// Seed of weights, order, masks and all else that is random. Default null: in ML.NET it comes from the <c>MLContext</c>, elsewhere it is 0.
    /// <see cref="Checkpoints"/> need one: a run with another seed is another run, and does not go on where this one stopped.
    /// </summary>
    public int? Seed { get; init; }

    /// <summary>Largest norm of the gradients over all parameters; larger ones are scaled down. Default null: no limit.</summary>
    [Range(0, double.PositiveInfinity, MinimumIsExclusive = true)] public double? ClipGradientNorm { get; init; }

    /// <summary>Parts that a batch is worked through in, to save memory; gradients are averaged over them. Default 1.</summary>
    [Range(1, int.MaxValue)] public int AccumulationSteps { get; init; } = 1;

    /// <summary>Decay of a moving average of the weights, which takes their place at the end, for example 0.999. Default null: no average.</summary>
    [Range(0, 1.0, MinimumIsExclusive = true, MaximumIsExclusive = true)] public double? WeightAverageDecay { get; init; }

    /// <summary>Where the run saves itself and goes on from; <see cref="Seed"/> must be set. Default null: nowhere.</summary>
    public CheckpointOptions? Checkpoints { get; init; }

    /// <summary>
    /// How often a run may go back to its last good checkpoint and on from there at half the learning rate, after a loss that is infinite or not a number,
    /// before that ends it. Each time is told in the log and kept in the checkpoints, so that a run that was stopped goes on at the rate it had. Needs
    /// <see cref="Checkpoints"/>, of which the first is written at the start. Default 0.
    /// </summary>
    [Range(0, int.MaxValue)] public int RecoverFromNonFiniteLoss { get; init; }

    /// <summary>Told where the run stands, some five times a second and at each epoch's end. Default null.</summary>
    public IProgress<TrainingProgress>? Progress { get; init; }

    /// <summary>Stops the run between two steps. Default none.</summary>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>
    /// The processes that train together, <c>DataParallel.FromEnvironment()</c>: with several the images of each step are divided between them. Default null: this
    /// process alone.
    /// </summary>
    public DataParallel? Distributed { get; init; }

    /// <summary>Whether gradients are made by libtorch alone, over whole batches, also where Smae has a faster path (<see cref="CpuGradients"/>).</summary>
    internal bool Plain { get; init; }

    /// <summary>What tells the run how much of <see cref="TimeBudget"/> is left.</summary>
    internal TimeProvider Clock { get; init; } = TimeProvider.System;

    internal virtual bool WarmupIncludesPeak => false;

    /// <summary>The options that the numbers of a run follow from, by name; told in the current culture.</summary>
    internal virtual IEnumerable<(string Name, string Value)> Settings => GetType().GetProperties()
        .Where(p => p.Name is not (nameof(Progress) or nameof(CancellationToken) or nameof(Checkpoints) or nameof(RecoverFromNonFiniteLoss) or nameof(Distributed)))
        .OrderBy(p => p.Name, StringComparer.Ordinal).Select(p => (p.Name, $"{p.GetValue(this) ?? "none"}"));

    /// <summary>The learning rate of each step.</summary>
    /// <param name="epochs">Those of the run; null takes <see cref="Epochs"/>. With fewer the warm-up is shorter too.</param>
    internal CosineSchedule LearningRates(long stepsPerEpoch, int? epochs = null)
    {
        double planned = epochs ?? Epochs, warmup = WarmupEpochs ?? Epochs / 20.0;
        if (planned != Epochs) warmup *= planned / Epochs;
        return new(LearningRate, warmup * stepsPerEpoch, stepsPerEpoch * planned, MinimumLearningRate) { WarmupIncludesPeak = WarmupIncludesPeak };
    }

    /// <summary>The weight decay of each step; null if it stays as it is.</summary>
    internal CosineSchedule? WeightDecays(long stepsPerEpoch, int? epochs = null) =>
        FinalWeightDecay is { } final ? new(WeightDecay, WarmupSteps: 0, stepsPerEpoch * (epochs ?? Epochs), final) : null;

    /// <summary>Checks that the options fit together.</summary>
    /// <exception cref="ArgumentException">Something does not: the message names every fault.</exception>
    public void Validate() => Rules.Check(Faults(), GetType().Name);

    internal virtual IEnumerable<string> Faults()
    {
        foreach (string fault in Rules.Faults(this)) yield return fault;
        if (MinimumLearningRate > LearningRate)
            yield return $"MinimumLearningRate is {MinimumLearningRate}: expected a number from 0 to LearningRate ({LearningRate}).";
        if (WarmupEpochs > Epochs) yield return $"WarmupEpochs is {WarmupEpochs}: expected a number from 0 to Epochs ({Epochs}).";
        if (FinalWeightDecay is { } final && WeightDecay == 0)
            yield return $"FinalWeightDecay is {final} and WeightDecay 0: expected more than 0 at the start.";
        if (Checkpoints is null && RecoverFromNonFiniteLoss > 0)
            yield return $"RecoverFromNonFiniteLoss is {RecoverFromNonFiniteLoss} and Checkpoints are null: expected 0, or checkpoints to go back to.";
        foreach (string fault in Distributed is null ? [] : Rules.Faults(Distributed, "Distributed.")) yield return fault;
        if (Checkpoints is null) yield break;
        foreach (string fault in Rules.Faults(Checkpoints, "Checkpoints.")) yield return fault;
        if (string.IsNullOrWhiteSpace(Checkpoints.Directory)) yield return "Checkpoints.Directory is empty.";
        if (Checkpoints.ContinueFrom is { } from && !File.Exists(from) && !Directory.Exists(from) && from != Checkpoints.Directory)
            yield return $"Checkpoints.ContinueFrom is '{from}', which is not there: expected a checkpoint, a folder of some, or null.";
        if (Seed is null) yield return "Seed is null and Checkpoints are set: a run can only be resumed under the same seed, set one.";
    }
}

/// <summary>
/// Where and how often a run saves itself, so that a run that was stopped, by whatever, can go on. What goes on is a run with the same images, options and
/// seed, so the seed must be set; see <see cref="ContinueFrom"/> for one that shall be another from there on. Weights that are not finite are never saved.
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

    /// <summary>
    /// A checkpoint of another run, or a folder of some, of which the newest that is not damaged is taken; it may be <see cref="Directory"/>. Where there is no
    /// checkpoint of this very run to resume from, this run goes on from that one with whatever is different: epochs, learning rate, batch size, precision, images,
    /// settings of the objective. Weights, moments of the optimiser, average of the weights, state of the objective and epochs done are kept as far as they
    /// fit; the schedule is this run's, at the epoch reached. With other images, batch size or seed the epoch under way begins anew. The log tells what was
    /// kept and what changed. The model must have the same shape. Default null: another run starts at its beginning.
    /// </summary>
    public string? ContinueFrom { get; init; }

    /// <summary>Time between two checkpoints. One more is written at the end and when the run is cancelled. Default 5 minutes.</summary>
    [Range(0, double.MaxValue)] public TimeSpan Interval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How many are kept; older ones are deleted. Default 3.</summary>
    [Range(1, int.MaxValue)] public int Keep { get; init; } = 3;
}

/// <summary>
/// A number for each step, such as the learning rate: a linear rise from 0, then half a cosine down, by iteration (facebookresearch/mae, <c>lr_sched.py</c>).
/// Without a rise it may as well go up.
/// </summary>
/// <param name="Peak">The number at the end of the rise.</param>
/// <param name="Minimum">The number at the end, which the step after the last would have. Default 0.</param>
public sealed record CosineSchedule(double Peak, double WarmupSteps, double TotalSteps, double Minimum = 0)
{
    /// <summary>Whether the last step of the rise has <see cref="Peak"/> already, so that it comes twice, as in facebookresearch/dino. Default false.</summary>
    public bool WarmupIncludesPeak { get; init; }

    /// <summary>The number of a step.</summary>
    /// <param name="step">The step, counted from 0; the first has 0 if there is a rise.</param>
    public double At(long step)
    {
        if (step < WarmupSteps) return WarmupIncludesPeak ? Peak * Math.Min(1, step / Math.Max(1, WarmupSteps - 1)) : Peak * step / WarmupSteps;
        double done = Math.Min(1, (step - WarmupSteps) / Math.Max(1, TotalSteps - WarmupSteps));
        return Minimum + (Peak - Minimum) * 0.5 * (1 + Math.Cos(Math.PI * done));
    }
}
