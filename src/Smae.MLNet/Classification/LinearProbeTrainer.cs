using Microsoft.ML.Runtime;
using Smae.Export;
using Smae.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.MLNet;

/// <summary>
/// Trains a linear classifier on the embeddings of a frozen encoder: the linear probe by which self-supervised methods are compared. The
/// model of the transformer is the classifier alone, from embeddings to logits.
/// </summary>
/// <remarks><inheritdoc/></remarks>
public sealed class LinearProbeTrainer : ImageClassificationTrainer<nn.Module<Tensor, Tensor>>
{
    private readonly ImageEncoder _encoder;
    private readonly LinearProbeOptions _options;

    /// <exception cref="ArgumentException">A name is blank, or an option is out of range; the message names every one that is.</exception>
    internal LinearProbeTrainer(IHostEnvironment environment, TrainerInput input, ImageEncoder encoder, LinearProbeOptions options)
        : base(environment, nameof(LinearProbeTrainer), input, options, encoder.Preprocessing)
    {
        options.Validate();
        (_encoder, _options) = (encoder, options);
    }

    private protected override SupervisedResult<nn.Module<Tensor, Tensor>> Train(TrainerRun run) => LinearProbe.Run(
        _encoder, run.Training, run.Validation, _options with { Seed = run.Seed, ClassNames = run.ClassNames }, run.Log);

    private protected override ISavableModel ModelOf(SupervisedResult<nn.Module<Tensor, Tensor>> result, TrainerRun run)
    {
        var pooling = _options.Pooling ?? _encoder.Pooling;
        return new LogitsModel(
            _encoder.Preprocessing, run.ClassNames.Count, images => result.Model.forward(_encoder.Embed(images, pooling)),
            path => WriteOnnx(path, pooling, result.Model), result.Model);
    }

    /// <summary>The encoder as ONNX; the classifier on its embeddings is a linear map, which is read off from what it makes of 0 and of unit vectors.</summary>
    private SavedOutput WriteOnnx(string path, Pooling pooling, nn.Module<Tensor, Tensor> classifier)
    {
        var output = pooling == Pooling.Mean ? OnnxOutput.Mean : OnnxOutput.ClassToken;
        OnnxExportResult exported = _encoder.ExportOnnx(path, new OnnxExportOptions { Output = output });
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        Tensor offset = classifier.forward(zeros([1, _encoder.EmbedDim], device: _encoder.Device));
        Tensor matrix = (classifier.forward(eye(_encoder.EmbedDim, device: _encoder.Device)) - offset).t();
        float[] Floats(Tensor values) => values.cpu().contiguous().data<float>().ToArray();
        return new SavedOutput(exported.Info.Outputs[0], new LinearMap(Floats(matrix), Floats(offset)));
    }
}
