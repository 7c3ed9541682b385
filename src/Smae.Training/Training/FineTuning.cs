using System.ComponentModel.DataAnnotations;

namespace Smae.Training;

/// <summary>Supervised training of a vision transformer, from a pretrained encoder (fine-tuning) or from scratch.</summary>
public static class FineTuning
{
    /// <summary>Trains a new classifier.</summary>
    /// <param name="training">What is trained on: every class must have an image.</param>
    /// <param name="validation">What is looked at after an epoch, in evaluation mode and as a whole; null is nothing.</param>
    /// <param name="device">Where; null is the CPU. The pretrained encoder may be elsewhere.</param>
    /// <param name="log">Given a line for people at the start and at each epoch's end.</param>
    /// <exception cref="ArgumentException">
    /// An option is wrong (the message names all that are), the images are of another size, a class has no image, a label is none of the classes, or the
    /// pretrained encoder does not fit <see cref="FineTuneOptions.Architecture"/>.
    /// </exception>
    /// <exception cref="FileNotFoundException"><see cref="FineTuneOptions.EncoderWeights"/> is not there.</exception>
    /// <exception cref="InvalidDataException">That file is damaged, or its weights do not fit; the message says where.</exception>
    /// <exception cref="NonFiniteLossException">The loss became infinite or not a number.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled through the options.</exception>
    public static SupervisedResult<ImageClassifier> Run(
        LabelledImages training, LabelledImages? validation, FineTuneOptions options, Device? device = null, Action<string>? log = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        LibTorch.Require();   // before any use of TorchSharp, the name of a device too
        Ranks ranks = DataParallel.Connect(options.Distributed);
        return ranks.Together(() => Train(training, validation, options, device ?? CPU, log, ranks));
    }

    private static SupervisedResult<ImageClassifier> Train(
        LabelledImages training, LabelledImages? validation, FineTuneOptions options, Device device, Action<string>? log, Ranks ranks)
    {
        int classes = SupervisedTraining.Check(training, validation, options, ranks);
        (VisionTransformerClassifier made, ImagePreprocessing preprocessing) = Create(options, classes, device);
        return made.OrDispose(model =>
        {
            (model.Backbone.Precision, model.Backbone.DropPath) = (options.Precision, options.DropPath);
            IReadOnlyList<ParameterGroup> groups = LayerDecay.Groups(model, options.WeightDecay, options.LayerDecay);
            return SupervisedTraining.Train(model, groups, preprocessing, classes, training, validation, options, device, log, ranks)
                .With(new ImageClassifier(model, preprocessing, options.ClassNames, device));
        });
    }

    /// <summary>What a run does to an image first: the size and channels that its images must have.</summary>
    /// <param name="options">How, and from what. Of <see cref="FineTuneOptions.EncoderWeights"/> only the JSON file beside them is read.</param>
    /// <exception cref="FileNotFoundException">That file is needed and not there.</exception>
    /// <exception cref="InvalidDataException">That file describes no encoder.</exception>
    public static ImagePreprocessing PreprocessingOf(FineTuneOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        (VisionTransformerConfig? config, ImagePreprocessing? preprocessing) = (options.Encoder?.Model.Config, options.Encoder?.Preprocessing);
        if (options.EncoderWeights is { } path && IsDescribed(options, path)) (_, (config, preprocessing, _)) = EncoderFiles.FindDescribed(path);
        return PreprocessingOf(options, ConfigOf(options, config), preprocessing);
    }

    /// <summary>Tries whether a run can begin with its pretrained encoder, before images are read for it: the weights are loaded and let go.</summary>
    /// <param name="options">How, and from what.</param>
    /// <exception cref="ArgumentException">The encoder does not fit <see cref="FineTuneOptions.Architecture"/>: another number of channels, say.</exception>
    /// <exception cref="FileNotFoundException"><see cref="FineTuneOptions.EncoderWeights"/> is not there.</exception>
    /// <exception cref="InvalidDataException">That file is damaged, or its weights do not fit; the message says where.</exception>
    public static void CheckEncoder(FineTuneOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Encoder is not null || options.EncoderWeights is not null) Create(options, 2, CPU).Model.Dispose();
    }

    private static VisionTransformerConfig ConfigOf(FineTuneOptions options, VisionTransformerConfig? source) =>
        options.Architecture ?? source ?? VisionTransformerConfig.VitLite7_4;

    private static ImagePreprocessing PreprocessingOf(FineTuneOptions options, VisionTransformerConfig config, ImagePreprocessing? source) =>
        options.Preprocessing ?? (source is null ? config.UsualPreprocessing : source with { Height = config.ImageHeight, Width = config.ImageWidth });

    private static bool IsDescribed(FineTuneOptions options, string path) =>
        options.Architecture is null || EncoderFiles.Find(path).Description is not null;

    /// <summary>The classifier before its first step.</summary>
    private static (VisionTransformerClassifier Model, ImagePreprocessing Preprocessing) Create(FineTuneOptions options, int classes, Device device)
    {
        options.Encoder?.CheckNotDisposed();
        using ImageEncoder? loaded = options.Encoder is null ? LoadEncoder(options) : null;
        ImageEncoder? source = options.Encoder ?? loaded;
        VisionTransformerConfig config = ConfigOf(options, source?.Model.Config);
        VisionTransformerConfig trained = options.TrainPositions ? config with { Positions = PositionEncoding.Learned } : config;
        return new VisionTransformerClassifier(trained, classes, options.Pooling, seed: options.Seed ?? 0).OrDispose(model =>
        {
            if (source is not null) model.CopyFrom(source.Model);
            else if (options.TrainPositions) CopyPositions(config, model);
            return (model.to(device), PreprocessingOf(options, config, source?.Preprocessing));
        });
    }

    private static ImageEncoder? LoadEncoder(FineTuneOptions options)
    {
        if (options.EncoderWeights is not { } path) return null;
        if (IsDescribed(options, path)) return ImageEncoder.Load(path);
        string weights = EncoderFiles.Find(path).Weights;
        if (!File.Exists(weights)) throw new FileNotFoundException($"{path} (EncoderWeights) is not there.", path);
        return ImageEncoder.Create(options.Architecture!).OrDispose(encoder => ModelWeights.Load(encoder.Model, weights, resizePositions: true));
    }

    /// <summary>From scratch too, trained positions begin as the fixed ones that the configuration names.</summary>
    private static void CopyPositions(VisionTransformerConfig config, VisionTransformerClassifier model)
    {
        if (config.Positions == PositionEncoding.Learned) return;
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor table = PositionTable.Of(config, config.GridHeight, config.GridWidth, config.ClassToken == ClassToken.First);
        ModelWeights.Of(model.Backbone).First(w => w.Name == "pos_embed").Tensor.copy_(table);
    }
}

/// <summary>
/// How a vision transformer is trained to tell classes apart, end to end: from a pretrained encoder (<see cref="Encoder"/> or <see cref="EncoderWeights"/>) or
/// from scratch (neither). The defaults are those of the SMAE paper's fine-tuning on Tiny ImageNet, without its augmentation; <see cref="Recipes"/> has more.
/// </summary>
public sealed record FineTuneOptions : SupervisedOptions
{
    /// <summary>A pretrained encoder. Its weights are copied, never shared or changed. Default null.</summary>
    public ImageEncoder? Encoder { get; init; }

    /// <summary>
    /// A safetensors file with the weights of a pretrained encoder, or a folder: all that <see cref="ImageEncoder.Load"/> takes, or a file as published for
    /// timm, facebookresearch/mae or facebookresearch/dinov2, of which <see cref="Architecture"/> says how it is shaped. Default null.
    /// </summary>
    public string? EncoderWeights { get; init; }

    /// <summary>
    /// The shape of the encoder; null takes that of the pretrained one, and <see cref="VisionTransformerConfig.VitLite7_4"/> from scratch. May differ from the
    /// pretrained one in what needs no weights (dropout) and in the image size: learned positions are interpolated. It may also lack the pretrained one's
    /// <see cref="VisionTransformerConfig.Fusion"/>, as mmpretrain fine-tunes MFF. Default null.
    /// </summary>
    public VisionTransformerConfig? Architecture { get; init; }

    /// <summary>What is done to an image first; null takes what the pretrained encoder was trained with, from scratch ImageNet's statistics.</summary>
    public ImagePreprocessing? Preprocessing { get; init; }

    /// <summary>How tokens become one vector: see <see cref="VisionTransformerClassifier"/>. Default <see cref="Pooling.Mean"/>.</summary>
    public Pooling Pooling { get; init; } = Pooling.Mean;

    /// <summary>
    /// What the learning rate is multiplied by from each layer to the one below: block i of n has <c>decay^(n - i)</c> (i from 0), class token, positions and
    /// patch embedding <c>decay^(n + 1)</c>, what follows the blocks 1 (facebookresearch/mae, <c>lr_decay.py</c>). Default 1. MAE: 0.65 (B), 0.75 (L).
    /// </summary>
    [Range(0, 1.0, MinimumIsExclusive = true)] public double LayerDecay { get; init; } = 1;

    /// <summary>Drop path of the last block, rising linearly from 0 in the first. Default 0. MAE fine-tunes with 0.1.</summary>
    [Range(0, 1.0, MaximumIsExclusive = true)] public double DropPath { get; init; }

    /// <summary>Whether positions are trained, beginning with the pretrained or fixed ones, as in facebookresearch/mae. Default false: fixed ones stay.</summary>
    public bool TrainPositions { get; init; }

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
            foreach (string fault in shape.SizeFaults("the encoder", Preprocessing)) yield return fault;
    }
}
