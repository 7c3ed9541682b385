using Smae.Export;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.MLNet;

/// <summary>Trains a vision transformer end to end, from a pretrained encoder (fine-tuning) or from scratch.</summary>
/// <remarks><inheritdoc/></remarks>
public sealed class VisionTransformerTrainer : ImageClassificationTrainer<ImageClassifier>
{
    private readonly FineTuneOptions _options;

    internal VisionTransformerTrainer(IHostEnvironment environment, TrainerInput input, FineTuneOptions options)
        : base(environment, input, options, PreprocessingOf(options)) => _options = options;

    private protected override void CheckModel() => FineTuning.CheckEncoder(_options);

    private protected override SupervisedResult<ImageClassifier> Train(TrainerRun run) => FineTuning.Run(
        run.Training, run.Validation, _options with { Seed = run.Seed, ClassNames = run.ClassNames }, run.Device, run.Log);

    private protected override ImageModel ModelOf(SupervisedResult<ImageClassifier> result, TrainerRun run) => new ClassifierModel(result.Model);

    private static ImagePreprocessing PreprocessingOf(FineTuneOptions options)
    {
        options.Validate();
        return FineTuning.PreprocessingOf(options);
    }

    private sealed class ClassifierModel(ImageClassifier classifier) : ImageModel(classifier.Preprocessing, classifier.Classes)
    {
        public override SavedOutput WriteOnnx(string path) => new(classifier.ExportOnnx(path).Info.Outputs[1]);   // the logits

        public override void Dispose() => classifier.Dispose();

        protected override void Score(ReadOnlySpan<byte> images, int count, Span<float> outputs) => classifier.Classify(images, count, outputs);
    }
}

/// <summary>
/// Trains a linear classifier on the embeddings of a frozen encoder: the linear probe by which self-supervised methods are compared. The model of the
/// transformer is the classifier alone, from embeddings to logits.
/// </summary>
/// <remarks><inheritdoc/></remarks>
public sealed class LinearProbeTrainer : ImageClassificationTrainer<nn.Module<Tensor, Tensor>>
{
    private readonly ImageEncoder _encoder;
    private readonly LinearProbeOptions _options;

    internal LinearProbeTrainer(IHostEnvironment environment, TrainerInput input, ImageEncoder encoder, LinearProbeOptions options)
        : base(environment, input, options, encoder.Preprocessing)
    {
        options.Validate();
        (_encoder, _options) = (encoder, options);
        if (PoolingOf == Pooling.ClassToken && encoder.Model.Config.ClassToken == ClassToken.None)
            throw new ArgumentException("Pooling is ClassToken and the encoder has no class token.", nameof(options));
    }

    /// <summary>Embeds a black image.</summary>
    private protected override void CheckModel() => _encoder.Embed(new byte[_encoder.Preprocessing.ByteCount], 1, new float[_encoder.EmbedDim]);

    private protected override SupervisedResult<nn.Module<Tensor, Tensor>> Train(TrainerRun run) => LinearProbe.Run(
        _encoder, run.Training, run.Validation, _options with { Seed = run.Seed, ClassNames = run.ClassNames }, run.Log);

    private protected override ImageModel ModelOf(SupervisedResult<nn.Module<Tensor, Tensor>> result, TrainerRun run) =>
        new ProbeModel(_encoder, PoolingOf, result.Model, run.ClassNames.Count);

    private Pooling PoolingOf => _options.Pooling ?? _encoder.Pooling;

    private sealed class ProbeModel(ImageEncoder encoder, Pooling pooling, nn.Module<Tensor, Tensor> classifier, int classes)
        : TorchModel(encoder.Preprocessing, classes, encoder.Device, classifier)
    {
        protected override Tensor Forward(Tensor bytes) => classifier.forward(encoder.Embed(bytes, pooling)).softmax(-1);

        /// <summary>The encoder as ONNX; the classifier is a linear map, which is read off from what it makes of 0 and of unit vectors.</summary>
        protected override SavedOutput Write(string path)
        {
            var output = pooling == Pooling.Mean ? OnnxOutput.Mean : OnnxOutput.ClassToken;
            OnnxExportResult exported = encoder.ExportOnnx(path, new OnnxExportOptions { Output = output });
            using DisposeScope scope = NewDisposeScope();
            using var noGrad = no_grad();
            Tensor offset = classifier.forward(zeros([1, encoder.EmbedDim], device: Normalizer.Device));
            Tensor matrix = (classifier.forward(eye(encoder.EmbedDim, device: Normalizer.Device)) - offset).t();
            float[] Floats(Tensor values) => values.cpu().contiguous().data<float>().ToArray();
            return new SavedOutput(exported.Info.Outputs[0], new LinearMap(Floats(matrix), Floats(offset)));
        }
    }
}

/// <summary>
/// Trains a SqueezeNet v1.1 from scratch: the critic of SMAE (Charisoudis et al. 2023). <c>transformer.Model.Save(path)</c> writes the file
/// that <see cref="Objective.Semantic(double, string)"/> takes.
/// </summary>
/// <remarks><inheritdoc/></remarks>
public sealed class SqueezeNetTrainer : ImageClassificationTrainer<SqueezeNet>
{
    private readonly ImagePreprocessing _preprocessing;
    private readonly SupervisedOptions _options;

    internal SqueezeNetTrainer(IHostEnvironment environment, TrainerInput input, ImagePreprocessing preprocessing, SupervisedOptions options)
        : base(environment, input, options, Checked(preprocessing, options)) => (_preprocessing, _options) = (preprocessing, options);

    private protected override SupervisedResult<SqueezeNet> Train(TrainerRun run) => CriticTraining.Run(
        run.Training, run.Validation, _options with { Seed = run.Seed, ClassNames = run.ClassNames }, _preprocessing, run.Device, run.Log);

    private protected override ImageModel ModelOf(SupervisedResult<SqueezeNet> result, TrainerRun run) =>
        new SqueezeNetModel(result.Model, _preprocessing, run.ClassNames, run.Device);

    private static ImagePreprocessing Checked(ImagePreprocessing preprocessing, SupervisedOptions options)
    {
        List<string> faults = [.. preprocessing.Faults(), .. Faults.Of(options.Validate)];
        var (height, width) = (preprocessing.Height, preprocessing.Width);
        if (Math.Min(height, width) < SqueezeNet.MinimumSide)
            faults.Insert(0, $"Preprocessing gives {height}x{width}: SqueezeNet needs at least {SqueezeNet.MinimumSide} pixels a side.");
        Rules.Check(faults, nameof(options));
        return preprocessing;
    }

    private sealed class SqueezeNetModel(SqueezeNet network, ImagePreprocessing preprocessing, IReadOnlyList<string> classNames, Device? device)
        : TorchModel(preprocessing, classNames.Count, device, network)
    {
        protected override Tensor Forward(Tensor bytes) => network.forward(Normalizer.Normalize(bytes)).softmax(-1);

        protected override SavedOutput Write(string path) => new(network.ExportOnnx(path, Preprocessing, classNames).Info.Outputs[1]);   // the logits
    }
}
