namespace Smae.Training;

/// <summary>
/// How a vision transformer is trained to tell classes apart, end to end: from a pretrained encoder (<see cref="Encoder"/> or <see
/// cref="EncoderWeights"/>) or from scratch (neither). The defaults are those of the SMAE paper's fine-tuning on Tiny ImageNet, without its
/// augmentation; <see cref="Recipes"/> has more.
/// </summary>
public sealed record FineTuneOptions : SupervisedOptions
{
    /// <summary>A pretrained encoder. Its weights are copied, never shared or changed. Default null.</summary>
    public ImageEncoder? Encoder { get; init; }

    /// <summary>
    /// A safetensors file with the weights of a pretrained encoder, as <see cref="ImageEncoder.Save"/> writes it, or as published for timm or
    /// facebookresearch/mae: without a JSON file beside it <see cref="Architecture"/> says how it is shaped. Default null.
    /// </summary>
    public string? EncoderWeights { get; init; }

    /// <summary>
    /// The shape of the encoder; null takes that of the pretrained one, and <see cref="VisionTransformerConfig.VitLite7_4"/> from scratch. May differ
    /// from the pretrained one in what needs no weights (dropout) and in the image size: learned positions are interpolated. It may also lack the
    /// pretrained one's <see cref="VisionTransformerConfig.Fusion"/>, as mmpretrain fine-tunes MFF. Default null.
    /// </summary>
    public VisionTransformerConfig? Architecture { get; init; }

    /// <summary>
    /// What is done to an image first; null takes what the pretrained encoder was trained with, and ImageNet's statistics from scratch. Default null.
    /// </summary>
    public ImagePreprocessing? Preprocessing { get; init; }

    /// <summary>How tokens become one vector: see <see cref="VisionTransformerClassifier"/>. Default <see cref="Pooling.Mean"/>.</summary>
    public Pooling Pooling { get; init; } = Pooling.Mean;

    /// <summary>
    /// What the learning rate is multiplied by from each layer to the one below: block i of n has <c>decay^(n - i)</c> (i from 0), class token,
    /// positions and patch embedding <c>decay^(n + 1)</c>, what follows the blocks 1 (facebookresearch/mae, <c>lr_decay.py</c>). In (0, 1]. Default
    /// 1. MAE: 0.65 (B), 0.75 (L).
    /// </summary>
    public double LayerDecay { get; init; } = 1;

    /// <summary>Drop path of the last block, rising linearly from 0 in the first, in [0, 1). Default 0. MAE fine-tunes with 0.1.</summary>
    public double DropPath { get; init; }

    /// <summary>
    /// Whether positions are trained, beginning with the pretrained or fixed ones, as facebookresearch/mae's fine-tuning does. Default false: fixed
    /// ones stay.
    /// </summary>
    public bool TrainPositions { get; init; }

    /// <summary>What happens with images that cannot be read, where images are read. Default <see cref="BrokenImagePolicy.Skip"/>.</summary>
    public BrokenImagePolicy BrokenImages { get; init; } = BrokenImagePolicy.Skip;

    internal override IEnumerable<string> Faults()
    {
        foreach (string fault in base.Faults()) yield return fault;
        if (Encoder is not null && EncoderWeights is not null) yield return "Encoder and EncoderWeights are both set: expected one of them, or none.";
        if (EncoderWeights is not null && string.IsNullOrWhiteSpace(EncoderWeights))
            yield return "EncoderWeights is empty: expected a file, or null.";
        VisionTransformerConfig? shape = Architecture ?? Encoder?.Model.Config;
        foreach (string fault in Architecture?.Faults(nameof(Architecture)) ?? []) yield return fault;
        foreach (string fault in Preprocessing?.Faults() ?? []) yield return $"Preprocessing: {fault}";
        if (shape is not null && Pooling == Pooling.ClassToken && shape.ClassToken == ClassToken.None)
            yield return "Pooling is ClassToken and the encoder has no class token.";
        if (shape is not null && Preprocessing is not null)
            foreach (string fault in Preprocessing.SizeFaults("the encoder", shape.ImageHeight, shape.ImageWidth, shape.Channels)) yield return fault;
        if (!(LayerDecay is > 0 and <= 1)) yield return $"LayerDecay is {LayerDecay}: expected a number in (0, 1].";
        if (!(DropPath is >= 0 and < 1)) yield return $"DropPath is {DropPath}: expected a probability in [0, 1).";
    }
}
