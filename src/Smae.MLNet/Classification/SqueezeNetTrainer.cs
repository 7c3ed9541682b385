using Microsoft.ML.Runtime;
using Smae.Export;
using Smae.Training;
using TorchSharp;

namespace Smae.MLNet;

/// <summary>
/// Trains a SqueezeNet v1.1 from scratch: the critic of SMAE (Charisoudis et al. 2023). <c>transformer.Model.Save(path)</c> writes the file
/// that <see cref="Objective.Semantic(double, string)"/> takes.
/// </summary>
/// <remarks><inheritdoc/></remarks>
public sealed class SqueezeNetTrainer : ImageClassificationTrainer<SqueezeNet>
{
    private readonly ImagePreprocessing _preprocessing;
    private readonly SupervisedOptions _options;

    /// <exception cref="ArgumentException">A name is blank, or an option is out of range; the message names every one that is.</exception>
    internal SqueezeNetTrainer(IHostEnvironment environment, TrainerInput input, ImagePreprocessing preprocessing, SupervisedOptions options)
        : base(environment, nameof(SqueezeNetTrainer), input, options, Checked(preprocessing, options)) =>
        (_preprocessing, _options) = (preprocessing, options);

    private protected override SupervisedResult<SqueezeNet> Train(TrainerRun run) => CriticTraining.Run(
        run.Training, run.Validation, _options with { Seed = run.Seed, ClassNames = run.ClassNames }, _preprocessing, run.Device, run.Log);

    private protected override ISavableModel ModelOf(SupervisedResult<SqueezeNet> result, TrainerRun run)
    {
        var normalizer = new ImageNormalizer(_preprocessing, run.Device ?? torch.CPU);
        return new LogitsModel(
            _preprocessing, run.ClassNames.Count, images => result.Model.forward(normalizer.Normalize(images)),
            path => new SavedOutput(
                result.Model.ExportOnnx(path, _preprocessing, run.ClassNames).Info.Outputs.Single(output => output.Name == "logits")),
            result.Model, normalizer);
    }

    private static ImagePreprocessing Checked(ImagePreprocessing preprocessing, SupervisedOptions options)
    {
        List<string> faults = [.. preprocessing.Faults().Select(fault => $"Preprocessing: {fault}"), .. options.Faults()];
        var (height, width) = (preprocessing.Height, preprocessing.Width);
        if (Math.Min(height, width) < SqueezeNet.MinimumSide)
            faults.Insert(0, $"Preprocessing gives {height}x{width}: SqueezeNet needs at least {SqueezeNet.MinimumSide} pixels a side.");
        Guard.NoFaults(faults, nameof(options));
        return preprocessing;
    }
}
