using Microsoft.ML.Runtime;
using Smae.Training;
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

    private protected override IImageModel ModelOf(SupervisedResult<nn.Module<Tensor, Tensor>> result, TrainerRun run)
    {
        var pooling = _options.Pooling ?? _encoder.Pooling;
        return new LogitsModel(
            _encoder.Preprocessing, run.ClassNames.Count, images => result.Model.forward(_encoder.Embed(images, pooling)), result.Model);
    }
}
