using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Supervised training of a vision transformer, from a pretrained encoder (fine-tuning) or from scratch.</summary>
public static class FineTuning
{
    /// <summary>Trains a new classifier.</summary>
    /// <param name="training">What is trained on: every class must have an image.</param>
    /// <param name="validation">What is looked at after an epoch, in evaluation mode and as a whole; null is nothing.</param>
    /// <param name="options">How, and from what.</param>
    /// <param name="device">Where; null is the CPU. The pretrained encoder may be elsewhere.</param>
    /// <param name="log">Given a line for people at the start and at each epoch's end.</param>
    /// <returns>The classifier and the history of its training.</returns>
    /// <exception cref="ArgumentException">
    /// An option is wrong (the message names all that are), the images are of another size, a class has no image, a label is none of the classes, or
    /// the pretrained encoder does not fit <see cref="FineTuneOptions.Architecture"/>.
    /// </exception>
    /// <exception cref="FileNotFoundException"><see cref="FineTuneOptions.EncoderWeights"/> is not there.</exception>
    /// <exception cref="InvalidDataException">That file is damaged, or its weights do not fit; the message says where.</exception>
    /// <exception cref="NonFiniteLossException">The loss became infinite or not a number.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled through the options.</exception>
    public static SupervisedResult<ImageClassifier> Run(
        LabelledImages training, LabelledImages? validation, FineTuneOptions options, Device? device = null, Action<string>? log = null)
    {
        int classes = SupervisedTraining.Check(training, validation, options);
        LibTorch.Require();
        device ??= CPU;
        (VisionTransformerClassifier model, ImagePreprocessing preprocessing) = Create(options, classes, device);
        try
        {
            model.Backbone.Precision = options.Precision;
            model.Backbone.DropPath = options.DropPath;
            IReadOnlyList<ParameterGroup> groups = LayerDecay.Groups(model, options.WeightDecay, options.LayerDecay);
            return SupervisedTraining.Train(model, groups, preprocessing, classes, training, validation, options, device, log)
                .With(new ImageClassifier(model, preprocessing, options.ClassNames, device));
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>What a run does to an image first: the size and channels that its images must have.</summary>
    /// <param name="options">How, and from what. Of <see cref="FineTuneOptions.EncoderWeights"/> only the JSON file beside them is read.</param>
    /// <exception cref="FileNotFoundException">That file is needed and not there.</exception>
    /// <exception cref="InvalidDataException">That file describes no encoder.</exception>
    public static ImagePreprocessing PreprocessingOf(FineTuneOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        (VisionTransformerConfig? config, ImagePreprocessing? preprocessing) = (options.Encoder?.Model.Config, options.Encoder?.Preprocessing);
        if (options.EncoderWeights is { } path && IsDescribed(options, path)) (config, preprocessing) = ImageEncoder.Describe(path);
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

    private static ImagePreprocessing PreprocessingOf(FineTuneOptions options, VisionTransformerConfig config, ImagePreprocessing? source)
    {
        (int height, int width) = (config.ImageHeight, config.ImageWidth);
        return options.Preprocessing ?? (source is null
            ? new ImagePreprocessing { Height = height, Width = width, Channels = config.Channels }
            : source with { Height = height, Width = width });
    }

    private static bool IsDescribed(FineTuneOptions options, string path) =>
        options.Architecture is null || File.Exists(ModelDescription.PathOf(path));

    /// <summary>The classifier before its first step.</summary>
    private static (VisionTransformerClassifier Model, ImagePreprocessing Preprocessing) Create(FineTuneOptions options, int classes, Device device)
    {
        ImageEncoder? loaded = null;
        try
        {
            options.Encoder?.CheckNotDisposed();
            ImageEncoder? source = options.Encoder ?? (loaded = LoadEncoder(options));
            VisionTransformerConfig config = ConfigOf(options, source?.Model.Config);
            ImagePreprocessing preprocessing = PreprocessingOf(options, config, source?.Preprocessing);
            VisionTransformerConfig trained = options.TrainPositions ? config with { Positions = PositionEncoding.Learned } : config;
            var model = new VisionTransformerClassifier(trained, classes, options.Pooling, seed: options.Seed ?? 0);
            try
            {
                if (source is not null) model.CopyFrom(source.Model);
                else if (options.TrainPositions) CopyPositions(config, model);
                return (model.to(device), preprocessing);
            }
            catch
            {
                model.Dispose();
                throw;
            }
        }
        finally
        {
            loaded?.Dispose();
        }
    }

    private static ImageEncoder? LoadEncoder(FineTuneOptions options)
    {
        if (options.EncoderWeights is not { } path) return null;
        if (IsDescribed(options, path)) return ImageEncoder.Load(path);
        if (!File.Exists(path)) throw new FileNotFoundException($"{path} (EncoderWeights) is not there.", path);
        ImageEncoder encoder = ImageEncoder.Create(options.Architecture!);
        try
        {
            ModelWeights.Load(encoder.Model, path, resizePositions: true);
            return encoder;
        }
        catch
        {
            encoder.Dispose();
            throw;
        }
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
