namespace Smae.Training;

/// <summary>
/// How a masked autoencoder is pretrained. The defaults are the recipe of the SMAE paper (ViT-Lite, 75% hidden, AdamW at 5e-4, 400 epochs)
/// with MAE's patch-normalised pixel loss.
/// </summary>
public sealed record MaePretrainOptions
{
    /// <summary>The encoder; its image size is the size that images are resized to. Default <see cref="VisionTransformerConfig.VitLite7_4"/>.</summary>
    public VisionTransformerConfig Encoder { get; init; } = VisionTransformerConfig.VitLite7_4;

    /// <summary>The decoder; null takes the one that the encoder's source pretrains it with. Default null.</summary>
    public DecoderConfig? Decoder { get; init; }

    /// <summary>Which patches are hidden. Default random, 75%.</summary>
    public Masking Masking { get; init; } = Masking.Random(0.75);

    /// <summary>What is trained for. Default the pixel loss over hidden patches, targets normalised patch by patch.</summary>
    public Objective Objective { get; init; } = Objective.Pixel();

    /// <summary>Passes over the images. Default 400.</summary>
    public int Epochs { get; init; } = 400;

    /// <summary>Images in a step. Default 128. With fewer images than that, a step takes all.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>Learning rate after the warm-up. Default 5e-4. facebookresearch/mae uses 1.5e-4 times <see cref="BatchSize"/> / 256.</summary>
    public double LearningRate { get; init; } = 5e-4;

    /// <summary>Epochs over which the learning rate rises from 0; null takes a twentieth of <see cref="Epochs"/>. Default null.</summary>
    public double? WarmupEpochs { get; init; }

    /// <summary>Learning rate at the end of the cosine. Default 0.</summary>
    public double MinimumLearningRate { get; init; }

    /// <summary>Decoupled weight decay of tensors with two and more dimensions; biases and normalisation layers never decay. Default 0.15.</summary>
    public double WeightDecay { get; init; } = 0.15;

    /// <summary>AdamW's decay of the mean of gradients. Default 0.9.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>AdamW's decay of the mean of squared gradients. Default 0.95.</summary>
    public double Beta2 { get; init; } = 0.95;

    /// <summary>Number format of the matrix products. Default <see cref="Precision.Float32"/>.</summary>
    public Precision Precision { get; init; }

    /// <summary>How images of another shape are resized. Default <see cref="ResizeMode.Crop"/>.</summary>
    public ResizeMode Resize { get; init; } = ResizeMode.Crop;

    /// <summary>Mean of each channel on a scale of 0 to 1; null takes ImageNet's. Default null.</summary>
    public IReadOnlyList<float>? Mean { get; init; }

    /// <summary>Standard deviation of each channel on a scale of 0 to 1; null takes ImageNet's. Default null.</summary>
    public IReadOnlyList<float>? StandardDeviation { get; init; }

    /// <summary>
    /// What is done to the images of a batch at random, for example <c>Augmentation.HorizontalFlip().Then(Augmentation.RandomResizedCrop(0.2, 1))</c> as in
    /// facebookresearch/mae. Default null: nothing, as in the SMAE paper.
    /// </summary>
    public Augmentation? Augmentation { get; init; }

    /// <summary>How an embedding is made of the tokens. Default <see cref="Pooling.Mean"/>.</summary>
    public Pooling Pooling { get; init; } = Pooling.Mean;

    /// <summary>What happens with images that cannot be read. Default <see cref="BrokenImagePolicy.Skip"/>.</summary>
    public BrokenImagePolicy BrokenImages { get; init; } = BrokenImagePolicy.Skip;

    /// <summary>Seed of weights, order and masks. Default null: in ML.NET it comes from the <c>MLContext</c>, elsewhere it is 0.</summary>
    public int? Seed { get; init; }

    /// <summary>Largest norm of the gradients over all parameters; larger ones are scaled down. Default null: no limit.</summary>
    public double? ClipGradientNorm { get; init; }

    /// <summary>Parts that a batch is worked through in, to save memory; gradients are averaged over them. Default 1.</summary>
    public int AccumulationSteps { get; init; } = 1;

    /// <summary>
    /// Decay of an exponential moving average of the weights, which takes their place at the end of the run, for example 0.999. Default null: no average.
    /// </summary>
    public double? WeightAverageDecay { get; init; }

    /// <summary>Where the run saves itself and goes on from. Default null: nowhere.</summary>
    public CheckpointOptions? Checkpoints { get; init; }

    /// <summary>Told where the run stands, some five times a second and at each epoch's end. Default null.</summary>
    public IProgress<TrainingProgress>? Progress { get; init; }

    /// <summary>Stops the run between two steps. Default none.</summary>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>What these options do to an image before the model sees it.</summary>
    public ImagePreprocessing Preprocessing
    {
        get
        {
            var preprocessing = new ImagePreprocessing
            {
                Height = Encoder.ImageHeight, Width = Encoder.ImageWidth, Channels = Encoder.Channels, Resize = Resize,
            };
            if (Mean is not null) preprocessing = preprocessing with { Mean = Mean };
            return StandardDeviation is null ? preprocessing : preprocessing with { StandardDeviation = StandardDeviation };
        }
    }

    /// <summary>A text that two runs share only if one can go on where the other stopped.</summary>
    internal string Fingerprint(ImageStore images) => string.Join('|', images.Count, images.ContentHash(), this with
    {
        Progress = null, CancellationToken = default, Checkpoints = null, Mean = null, StandardDeviation = null,
    }, string.Join(',', Preprocessing.Mean), string.Join(',', Preprocessing.StandardDeviation));

    internal double WarmupSteps(long stepsPerEpoch) => (WarmupEpochs ?? Epochs / 20.0) * stepsPerEpoch;

    /// <summary>Checks that the options fit together.</summary>
    /// <exception cref="ArgumentException">Something does not: the message names every fault.</exception>
    public void Validate() => Guard.NoFaults(Faults(), nameof(MaePretrainOptions));

    private IEnumerable<string> Faults()
    {
        if (Encoder is null) yield return "Encoder is null.";
        if (Masking is null) yield return "Masking is null.";
        if (Objective is null) yield return "Objective is null.";
        if (Encoder is not null)
        {
            string[] shape = [.. Encoder.Faults(nameof(Encoder)), .. (Decoder ?? Encoder.DefaultDecoder).Faults(nameof(Decoder))];
            foreach (string fault in shape.Length > 0 ? shape : Preprocessing.Faults().Concat(MaskFaults())) yield return fault;
            if (Pooling == Pooling.ClassToken && Encoder.ClassToken == ClassToken.None) yield return "Pooling is ClassToken and Encoder has no class token.";
        }
        if (Epochs < 1) yield return $"Epochs is {Epochs}: expected at least 1.";
        if (BatchSize < 1) yield return $"BatchSize is {BatchSize}: expected at least 1.";
        if (!(LearningRate > 0) || !double.IsFinite(LearningRate)) yield return $"LearningRate is {LearningRate}: expected a positive number.";
        if (!(MinimumLearningRate >= 0) || MinimumLearningRate > LearningRate)
            yield return $"MinimumLearningRate is {MinimumLearningRate}: expected a number from 0 to LearningRate ({LearningRate}).";
        if (WarmupEpochs is { } warmup && !(warmup >= 0 && warmup <= Epochs)) yield return $"WarmupEpochs is {warmup}: expected a number from 0 to Epochs ({Epochs}).";
        if (!(WeightDecay >= 0) || !double.IsFinite(WeightDecay)) yield return $"WeightDecay is {WeightDecay}: expected 0 or a positive number.";
        if (ClipGradientNorm is { } norm && !(norm > 0)) yield return $"ClipGradientNorm is {norm}: expected a positive number or null.";
        if (AccumulationSteps < 1) yield return $"AccumulationSteps is {AccumulationSteps}: expected at least 1.";
        if (WeightAverageDecay is { } decay && !(decay is > 0 and < 1)) yield return $"WeightAverageDecay is {decay}: expected a number in (0, 1) or null.";
        foreach (string fault in Checkpoints?.Faults() ?? []) yield return fault;
        if (!(Beta1 is >= 0 and < 1)) yield return $"Beta1 is {Beta1}: expected a number in [0, 1).";
        if (!(Beta2 is >= 0 and < 1)) yield return $"Beta2 is {Beta2}: expected a number in [0, 1).";
    }

    private IEnumerable<string> MaskFaults()
    {
        if (Masking is null) yield break;
        int visible = (int)(Encoder.PatchCount * (1 - Masking.Ratio));
        if (visible < 1 || visible >= Encoder.PatchCount)
            yield return $"Masking hides {Masking.Ratio:P0} of {Encoder.PatchCount} patches, which leaves {visible} visible: expected at least one visible and one hidden.";
    }
}
