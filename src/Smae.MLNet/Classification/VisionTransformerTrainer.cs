using Microsoft.ML.Runtime;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>Trains a vision transformer end to end, from a pretrained encoder (fine-tuning) or from scratch.</summary>
/// <remarks><inheritdoc/></remarks>
public sealed class VisionTransformerTrainer : ImageClassificationTrainer<ImageClassifier>
{
    private readonly FineTuneOptions _options;

    /// <exception cref="ArgumentException">A name is blank, or an option is out of range; the message names every one that is.</exception>
    internal VisionTransformerTrainer(IHostEnvironment environment, TrainerInput input, FineTuneOptions options)
        : base(environment, nameof(VisionTransformerTrainer), input, options, PreprocessingOf(options)) => _options = options;

    private protected override SupervisedResult<ImageClassifier> Train(TrainerRun run) => FineTuning.Run(
        run.Training, run.Validation, _options with { Seed = run.Seed, ClassNames = run.ClassNames }, run.Device, run.Log);

    private protected override ISavableModel ModelOf(SupervisedResult<ImageClassifier> result, TrainerRun run) => new ClassifierModel(result.Model);

    private static ImagePreprocessing PreprocessingOf(FineTuneOptions options)
    {
        options.Validate();
        return FineTuning.PreprocessingOf(options);
    }
}
