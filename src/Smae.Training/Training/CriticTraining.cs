namespace Smae.Training;

/// <summary>
/// Supervised training of SMAE's critic, a SqueezeNet v1.1 from scratch (Charisoudis et al. 2023, Table 4). The network ends in a ReLU, as torchvision's does,
/// and with it training can silence a class for good: if accuracy sticks well below what is expected, take another seed or a longer warm-up.
/// </summary>
public static class CriticTraining
{
    /// <summary>Trains a new network.</summary>
    /// <param name="training">What is trained on: every class must have an image.</param>
    /// <param name="validation">What is looked at after an epoch, in evaluation mode and as a whole; null is nothing.</param>
    /// <param name="options">
    /// How; <see cref="Recipes.SmaeCritic"/> is the paper's recipe. <see cref="TrainingOptions.Precision"/> has no meaning for convolutions.
    /// </param>
    /// <param name="preprocessing">
    /// What is done to images first; null is ImageNet's statistics. The critic sees images as the pretraining that it serves normalises them, so take the same.
    /// </param>
    /// <param name="device">Where; null is the CPU.</param>
    /// <param name="log">Given a line for people at the start and at each epoch's end.</param>
    /// <returns>
    /// The network and the history of its training; <see cref="SqueezeNet.Save"/> writes what <see cref="Objective.Semantic(double, string)"/> reads.
    /// </returns>
    /// <exception cref="ArgumentException">
    /// An option is wrong (the message names all that are), the images are smaller than 21 pixels or of another size than <paramref
    /// name="preprocessing"/> says, a class has no image, or a label is none of the classes.
    /// </exception>
    /// <exception cref="NonFiniteLossException">The loss became infinite or not a number.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled through the options.</exception>
    public static SupervisedResult<SqueezeNet> Run(
        LabelledImages training, LabelledImages? validation, SupervisedOptions options, ImagePreprocessing? preprocessing = null,
        Device? device = null, Action<string>? log = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        LibTorch.Require();   // before any use of TorchSharp, the name of a device too
        Ranks ranks = DataParallel.Connect(options.Distributed);
        return ranks.Together(() => Train(training, validation, options, preprocessing, device ?? CPU, log, ranks));
    }

    private static SupervisedResult<SqueezeNet> Train(
        LabelledImages training, LabelledImages? validation, SupervisedOptions options, ImagePreprocessing? preprocessing, Device device, Action<string>? log,
        Ranks ranks)
    {
        int classes = SupervisedTraining.Check(training, validation, options, ranks);
        ImageStore images = training.Images;
        if (Math.Min(images.Height, images.Width) < SqueezeNet.MinimumSide)
            throw new ArgumentException(
                $"The images are {images.Height}x{images.Width}: SqueezeNet needs at least {SqueezeNet.MinimumSide} pixels a side.",
                nameof(training));
        preprocessing ??= new ImagePreprocessing { Height = images.Height, Width = images.Width, Channels = images.Channels };
        Rules.Check(preprocessing.Faults(), nameof(preprocessing));
        return new SqueezeNet(classes, images.Channels, options.Seed ?? 0).to(device).OrDispose(critic => SupervisedTraining.Train(
            critic, ParameterGroup.Of(critic, options.WeightDecay), preprocessing, classes, training, validation, options, device, log, ranks));
    }
}
