using System.ComponentModel.DataAnnotations;

namespace Smae.Training;

/// <summary>
/// How a masked autoencoder is pretrained. The defaults are the recipe of the SMAE paper (ViT-Lite, 75% hidden, AdamW at 5e-4, 400 epochs) with MAE's
/// patch-normalised pixel loss.
/// </summary>
public sealed record MaePretrainOptions : TrainingOptions
{
    private static readonly ImagePreprocessing s_usual = new() { Height = 1, Width = 1 };
    private readonly ImagePreprocessing? _preprocessing, _asked;   // what was set, all in all; what was set as a whole, for a size that must be the encoder's

    /// <summary>Options with the defaults of the SMAE paper: 400 epochs at 5e-4, weight decay 0.15, betas 0.9 and 0.95.</summary>
    public MaePretrainOptions() : base(epochs: 400, learningRate: 5e-4, weightDecay: 0.15, beta2: 0.95)
    {
    }

    /// <summary>The encoder; its image size is the size that images are resized to. Default <see cref="VisionTransformerConfig.VitLite7_4"/>.</summary>
    public VisionTransformerConfig Encoder { get; init; } = VisionTransformerConfig.VitLite7_4;

    /// <summary>
    /// Weights that training begins from: a safetensors file, or a folder with one as Hugging Face's hub has them, of an encoder or a whole autoencoder, under
    /// the names of Smae, timm, facebookresearch/mae and facebookresearch/dinov2 or of transformers' ViT, ViTMAE and DINOv2. Its blocks must be those of
    /// <see cref="Encoder"/>. Learned positions are resized from the file's grid, fixed ones are those of <see cref="Encoder"/>; the patch embedding is made
    /// one for other patches and channels, as timm does. A decoder is taken if it fits, else it begins at random, and a line in the log says what came from the
    /// file and what did not. Default null: all weights begin at random.
    /// </summary>
    public string? InitialWeights { get; init; }

    /// <summary>The decoder; null takes the one that the encoder's source pretrains it with. Default null.</summary>
    public DecoderConfig? Decoder { get; init; }

    /// <summary>Which patches are hidden. Default random, 75%.</summary>
    public Masking Masking { get; init; } = Masking.Random(0.75);

    /// <summary>
    /// What is trained for: MAE (<see cref="Objective.Pixel"/>), SMAE (<see cref="Objective.Semantic(double, string)"/>), PixMIM
    /// (<see cref="Objective.LowPassPixel"/>), DMAE (<see cref="Objective.DistilledFeatures"/>), SdAE (<see cref="Objective.SelfDistilledFeatures"/>), SimMIM
    /// (<see cref="Objective.SimMim"/>), MaskFeat (<see cref="Objective.MaskFeat"/>), data2vec (<see cref="Objective.Data2Vec"/>), BootMAE
    /// (<see cref="Objective.BootMae"/>), DINO (<see cref="DinoObjective"/>), iBOT (<see cref="IBotObjective"/>). MFF is a matter of the encoder
    /// (<see cref="VisionTransformerConfig.Fusion"/>) and goes with all of them; <see cref="Recipes"/> has the settings of each paper.
    /// Default the pixel loss over hidden patches, targets normalised patch by patch.
    /// </summary>
    public Objective Objective { get; init; } = Objective.Pixel();

    /// <summary>Drop path of the encoder's last block, rising linearly from 0 in the first. Default 0. SdAE pretrains with 0.25.</summary>
    [Range(0, 1.0, MaximumIsExclusive = true)] public double DropPath { get; init; }

    /// <summary>
    /// What is done to an image before the model sees it. Its size and channels are those of <see cref="Encoder"/>; one set here for another size is an error.
    /// Default <see cref="ImagePreprocessing"/>'s.
    /// </summary>
    public ImagePreprocessing Preprocessing
    {
        get => Given with { Height = Encoder.ImageHeight, Width = Encoder.ImageWidth, Channels = Encoder.Channels };
        init => (_preprocessing, _asked) = (value, value);
    }

    /// <summary><see cref="ImagePreprocessing.Resize"/> of <see cref="Preprocessing"/>. Default <see cref="ResizeMode.Crop"/>.</summary>
    public ResizeMode Resize { get => Given.Resize; init => _preprocessing = Given with { Resize = value }; }

    /// <summary><see cref="ImagePreprocessing.Background"/> of <see cref="Preprocessing"/>. Default white.</summary>
    public IReadOnlyList<float> Background { get => Given.Background; init => _preprocessing = Given with { Background = value }; }

    /// <summary><see cref="ImagePreprocessing.Mean"/> of <see cref="Preprocessing"/>; null takes ImageNet's. Default ImageNet's.</summary>
    public IReadOnlyList<float>? Mean { get => Preprocessing.Mean; init => _preprocessing = Given with { Mean = value! }; }

    /// <summary><see cref="ImagePreprocessing.StandardDeviation"/> of <see cref="Preprocessing"/>; null takes ImageNet's. Default ImageNet's.</summary>
    public IReadOnlyList<float>? StandardDeviation
    {
        get => Preprocessing.StandardDeviation;
        init => _preprocessing = Given with { StandardDeviation = value! };
    }

    /// <summary>
    /// Images, drawn by <see cref="TrainingOptions.Seed"/>, that are not trained on: <see cref="EpochSummary.HeldOut"/> tells how the model does on them, and how
    /// random weights did. Some hundreds make steady figures. Default 0: all are trained on, and nothing is measured.
    /// </summary>
    [Range(0, int.MaxValue)] public int HeldOutImages { get; init; }

    /// <summary>
    /// Epochs between two looks at the images held out; the last epoch is always looked at. Default null: a twentieth of <see cref="TrainingOptions.Epochs"/>.
    /// </summary>
    [Range(1, int.MaxValue)] public int? HeldOutEvery { get; init; }

    /// <summary>How an embedding is made of the tokens. Default <see cref="Pooling.Mean"/>.</summary>
    public Pooling Pooling { get; init; } = Pooling.Mean;

    private ImagePreprocessing Given => _preprocessing ?? s_usual;

    internal override bool WarmupIncludesPeak => Objective.WarmupIncludesPeak;

    /// <summary>Draws the weights of what an objective trains beside the model; the caller disposes it.</summary>
    internal Generator HeadGenerator() => new((ulong)RandomStream.Mix(Seed ?? 0, 3));

    internal override IEnumerable<(string Name, string Value)> Settings =>
    [
        .. base.Settings.Where(s => s.Name is not (nameof(Objective) or nameof(Masking) or nameof(Mean) or nameof(StandardDeviation) or nameof(Background)
            or nameof(Preprocessing) or nameof(InitialWeights) or nameof(HeldOutImages) or nameof(HeldOutEvery))),
        (nameof(Objective), Objective.Identity), (nameof(Masking), Masking.Identity), (nameof(Mean), string.Join(',', Preprocessing.Mean)),
        (nameof(StandardDeviation), string.Join(',', Preprocessing.StandardDeviation)),
        (nameof(InitialWeights), InitialWeights is null ? "" : StartingWeights.Hash(InitialWeights)),
    ];

    internal override IEnumerable<string> Faults()
    {
        if (Encoder is null) yield return "Encoder is null.";
        if (Masking is null) yield return "Masking is null.";
        if (Objective is null) yield return "Objective is null.";
        if (Encoder is not null)
        {
            string[] shape = [.. Encoder.Faults(nameof(Encoder))];
            if (Objective?.Target.HasDecoder() != false) shape = [.. shape, .. (Decoder ?? Encoder.DefaultDecoder).Faults(nameof(Decoder))];
            if (shape.Length == 0) shape = [.. MaskFaults()];
            if (shape.Length == 0 && InitialWeights is not null) shape = [.. StartingWeights.Faults(InitialWeights, Encoder)];
            foreach (string fault in shape.Length > 0 ? shape : Preprocessing.Faults().Concat(ObjectiveFaults())) yield return fault;
            foreach (string fault in _asked is null ? [] : Encoder.SizeFaults("the encoder", _asked)) yield return fault;
            if (Pooling == Pooling.ClassToken && Encoder.ClassToken == ClassToken.None) yield return "Pooling is ClassToken and Encoder has no class token.";
        }
        if (HeldOutImages == 1) yield return "HeldOutImages is 1: expected 0, or at least 2.";
        foreach (string fault in base.Faults()) yield return fault;
    }

    private IEnumerable<string> ObjectiveFaults() =>
        Masking is null || Objective is null ? [] : Rules.Faults(Objective, "Objective.").Concat(Objective.Faults(this));

    private IEnumerable<string> MaskFaults() =>
        Masking is null || Objective?.HidesPatches == false ? [] : Masking.Faults(Encoder.GridHeight, Encoder.GridWidth);
}
