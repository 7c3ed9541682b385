using System.Globalization;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// Linear probing: how well a linear classifier on the embeddings of a frozen encoder tells classes apart. Without augmentation every image is
/// embedded once.
/// </summary>
public static class LinearProbe
{
    // Of the first weights of the classifier, as facebookresearch/mae's main_linprobe.py has it.
    private const double HeadStd = 0.01;

    /// <summary>Trains a classifier on embeddings.</summary>
    /// <param name="encoder">The encoder; nothing of it changes.</param>
    /// <param name="training">What is trained on: every class must have an image.</param>
    /// <param name="validation">What is looked at after an epoch, in evaluation mode and as a whole; null is nothing.</param>
    /// <param name="options">How.</param>
    /// <param name="log">Given a line for people at the start and at each epoch's end.</param>
    /// <returns>
    /// The classifier, from embeddings, <c>[batch, EmbedDim]</c>, to logits, <c>[batch, classes]</c>, and the history of its training.
    /// </returns>
    /// <exception cref="ArgumentException">
    /// An option is wrong (the message names all that are), the images are of another size than the encoder's, a class has no image, or a label is
    /// none of the classes.
    /// </exception>
    /// <exception cref="NonFiniteLossException">The loss became infinite or not a number.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled through the options.</exception>
    public static SupervisedResult<nn.Module<Tensor, Tensor>> Run(
        ImageEncoder encoder, LabelledImages training, LabelledImages? validation, LinearProbeOptions options, Action<string>? log = null)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        int classes = SupervisedTraining.Check(training, validation, options);
        training.CheckSize(encoder.Preprocessing, nameof(training));
        validation?.CheckSize(encoder.Preprocessing, nameof(validation));
        CheckBatch(training, options);
        Pooling pooling = options.Pooling ?? encoder.Pooling;
        if (pooling == Pooling.ClassToken && encoder.Model.Config.ClassToken == ClassToken.None)
            throw new ArgumentException("Pooling is ClassToken and the encoder has no class token.", nameof(options));
        Device device = encoder.Device;

        nn.Module<Tensor, Tensor> head = CreateHead(encoder.EmbedDim, classes, options).to(device);
        try
        {
            using Tensor? seen = options.Augmentation is null
                ? Embeddings.Of(encoder, training, pooling, options.BatchSize, options.CancellationToken) : null;
            using Tensor? unseen = validation is null
                ? null : Embeddings.Of(encoder, validation, pooling, options.BatchSize, options.CancellationToken);
            var run = new SupervisedRun(head, Weights(head), classes, options, device, Identity(encoder, pooling));
            Tensor Augmented(ReadOnlyMemory<long> images, RandomSequence random) =>
                encoder.Embed(training.Images.Batch(images.Span), pooling, options.Augmentation, random);
            run.Execute(
                Optimizer(head, options), training, (images, random) => seen is null ? Augmented(images, random) : Pick(seen, images),
                validation, images => Pick(unseen!, images), log);
            return new(head, run);
        }
        catch
        {
            head.Dispose();
            throw;
        }
    }

    private static void CheckBatch(LabelledImages training, LinearProbeOptions options)
    {
        long batch = Math.Min(options.BatchSize, training.Count);
        if (options.BatchNorm && batch / Math.Min(options.AccumulationSteps, batch) < 2)
            throw new ArgumentException(
                $"BatchNorm needs at least 2 images at a time: a batch of {batch} in {options.AccumulationSteps} parts has fewer.", nameof(options));
    }

    private static nn.Module<Tensor, Tensor> CreateHead(int inputs, int classes, LinearProbeOptions options)
    {
        NativeTuning.Apply();
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator((ulong)RandomStream.Mix(options.Seed ?? 0, 2));
        nn.Module<Tensor, Tensor> head = ClassifierHead.Create(inputs, classes, options.BatchNorm, HeadStd, generator);
        head.DetachFromDisposeScopes();
        return head;
    }

    private static Optimizer Optimizer(nn.Module head, LinearProbeOptions options)
    {
        IReadOnlyList<ParameterGroup> groups = ParameterGroup.Of(head, options.WeightDecay);
        return options.Optimizer == ProbeOptimizer.Lars ? new Lars(groups, options.Beta1) : new AdamW(groups, options.Beta1, options.Beta2);
    }

    private static IEnumerable<(string, Tensor)> Weights(nn.Module head) =>
        head.named_parameters().Select(p => (p.Item1, (Tensor)p.Item2)).Concat(head.named_buffers().Select(b => (b.Item1, b.Item2)));

    private static Tensor Pick(Tensor embeddings, ReadOnlyMemory<long> images) =>
        embeddings.index_select(0, tensor(images.ToArray(), device: embeddings.device));

    private static string Identity(ImageEncoder encoder, Pooling pooling) => TensorHash.Of(ModelWeights.Of(encoder.Model), string.Create(
        CultureInfo.InvariantCulture,
        $"{encoder.Model.Config}|{encoder.Model.Precision}|{pooling}|{string.Join(',', encoder.Preprocessing.Mean)}|"
        + $"{string.Join(',', encoder.Preprocessing.StandardDeviation)}"));
}
