using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Training of any model on images with labels. <see cref="FineTuning"/> and <see cref="CriticTraining"/> make the model too.</summary>
public static class SupervisedTraining
{
    /// <summary>Trains a model as it is, in place.</summary>
    /// <param name="model">
    /// From normalised images, <c>[batch, channels, height, width]</c>, to logits, <c>[batch, classes]</c>; already on <paramref name="device"/>.
    /// Dropout of a module that is not one of this library's draws from libtorch's own random numbers, and a run with it does not repeat bit for bit.
    /// </param>
    /// <param name="preprocessing">What is done to images first.</param>
    /// <param name="training">What is trained on: every class must have an image.</param>
    /// <param name="validation">What is looked at after an epoch; null is nothing.</param>
    /// <param name="options">How.</param>
    /// <param name="device">Where; null is the CPU.</param>
    /// <param name="log">Given a line for people at the start and at each epoch's end.</param>
    /// <returns>The model and the history of its training; whoever made the model disposes it.</returns>
    /// <exception cref="ArgumentException">
    /// An option is wrong (the message names all that are), the images are of another size, a class has no image, or a label is none of the classes.
    /// </exception>
    /// <exception cref="InvalidOperationException">The model gives something other than logits for as many classes.</exception>
    /// <exception cref="NonFiniteLossException">The loss became infinite or not a number.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled through the options.</exception>
    public static SupervisedResult<nn.Module<Tensor, Tensor>> Run(
        nn.Module<Tensor, Tensor> model, ImagePreprocessing preprocessing, LabelledImages training, LabelledImages? validation,
        SupervisedOptions options, Device? device = null, Action<string>? log = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(preprocessing);
        Guard.NoFaults(preprocessing.Faults(), nameof(preprocessing));
        int classes = Check(training, validation, options);
        return new(
            model, Train(model, ParameterGroup.Of(model, options.WeightDecay), preprocessing, classes, training, validation, options, device, log));
    }

    /// <summary>Checks options and labels.</summary>
    /// <returns>The number of classes.</returns>
    internal static int Check(LabelledImages training, LabelledImages? validation, SupervisedOptions options)
    {
        ArgumentNullException.ThrowIfNull(training);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (options.Patience is not null && validation is null)
            throw new ArgumentException("Patience is set and there are no validation images to look at.", nameof(options));
        int classes = options.ClassNames?.Count ?? Math.Max(2, training.ClassCount);
        training.CheckLabels(classes, nameof(training));
        training.CheckEveryClass(classes, options.ClassNames, nameof(training));
        validation?.CheckLabels(classes, nameof(validation));
        return classes;
    }

    /// <summary>Trains after <see cref="Check"/>.</summary>
    internal static SupervisedRun Train(
        nn.Module<Tensor, Tensor> model, IReadOnlyList<ParameterGroup> groups, ImagePreprocessing preprocessing, int classes,
        LabelledImages training, LabelledImages? validation, SupervisedOptions options, Device? device, Action<string>? log)
    {
        training.CheckSize(preprocessing, nameof(training));
        validation?.CheckSize(preprocessing, nameof(validation));
        NativeTuning.Apply();
        device ??= CPU;
        IEnumerable<(string, Tensor)> weights =
            model.named_parameters().Select(p => (p.Item1, (Tensor)p.Item2)).Concat(model.named_buffers().Select(b => (b.Item1, b.Item2)));
        using var normalizer = new ImageNormalizer(preprocessing, device);
        var run = new SupervisedRun(model, weights, classes, options, device, string.Create(
            CultureInfo.InvariantCulture, $"{string.Join(',', preprocessing.Mean)}|{string.Join(',', preprocessing.StandardDeviation)}"));
        run.Execute(
            new AdamW(groups, options.Beta1, options.Beta2),
            training, (images, random) => normalizer.Normalize(training.Images.Batch(images.Span), options.Augmentation, random),
            validation, images => normalizer.Normalize(validation!.Images.Batch(images.Span)), log);
        return run;
    }
}
