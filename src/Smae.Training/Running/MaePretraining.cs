using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Masked autoencoder pretraining on images without labels (He et al. 2022).</summary>
public static class MaePretraining
{
    /// <summary>Pretrains a new masked autoencoder.</summary>
    /// <param name="images">The images, of the size of the encoder in <paramref name="options"/>.</param>
    /// <param name="options">How.</param>
    /// <param name="device">Where; null is the CPU.</param>
    /// <param name="log">Given a line for people at the start and at each epoch's end.</param>
    /// <exception cref="ArgumentException">An option is wrong (the message names all that are), or the images are of another size, or there are none.</exception>
    /// <exception cref="NonFiniteLossException">The loss became infinite or not a number.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled through the options.</exception>
    public static MaePretrainResult Run(ImageStore images, MaePretrainOptions options, Device? device = null, Action<string>? log = null)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        CheckImages(images, options.Encoder);
        NativeTuning.Apply();
        device ??= CPU;

        var model = new MaskedAutoencoder(options.Encoder, options.Decoder, options.Seed ?? 0, options.Objective.Target).to(device);
        try
        {
            model.Precision = options.Precision;
            model.Encoder.DropPath = options.DropPath;
            model.train();
            using var normalizer = new ImageNormalizer(options.Preprocessing, device);
            using ObjectiveRun objective = options.Objective.Begin(model, options, device);
            IReadOnlyList<ParameterGroup> groups = [.. ParameterGroup.Of(model, options.WeightDecay), .. GroupsOf(objective, images, options)];
            using var run = new TrainingRun(
                options, new AdamW(groups, options.Beta1, options.Beta2), images.Count, () => options.Fingerprint(images), log)
            {
                GradientsReady = objective.GradientsReady, StepEnded = objective.StepEnded, EpochEnded = objective.EpochEnded,
            };
            log?.Invoke($"Pretraining on {images.Count} images, {run.Plan}, on {device}.");
            IEnumerable<(string, Tensor)> state = ModelWeights.Of(model).Concat(objective.State.Select(s => ($"objective.{s.Name}", s.Tensor)));
            (IReadOnlyList<EpochSummary> history, TimeSpan elapsed, double speed) = run.Execute(state, model.Encoder.Noise, (step, scope) =>
            {
                var batch = new StoredBatch(scope, images, options, normalizer, run.Random, step);
                using (NewDisposeScope())
                using (no_grad()) objective.BatchReady(batch);
                var loss = new StepLoss(() => LossOf(batch));
                return !objective.IsMeanOverImages ? loss : loss with { OfPart = PartsOf(batch), RowsPerImage = (int)batch.Mask.Visible.size(1) + 1 };
            });
            Tensor LossOf(PretrainBatch batch)
            {
                using DisposeScope scope = NewDisposeScope();   // what the graph does not hold goes before the way back
                return objective.Loss(batch).MoveToOuterDisposeScope();
            }
            Func<int, int, Tensor> PartsOf(StoredBatch batch)
            {
                batch.Make();
                return (from, to) => LossOf(new PartOfBatch(batch, from, to));
            }
            using (NewDisposeScope())
            using (no_grad()) objective.RunEnded();

            model.eval();
            var encoder = new ImageEncoder(model.Encoder, options.Preprocessing, options.Pooling, device);
            return new MaePretrainResult(model, encoder, history, elapsed, speed);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private static IEnumerable<ParameterGroup> GroupsOf(ObjectiveRun objective, ImageStore images, MaePretrainOptions options)
    {
        long stepsPerEpoch = TrainingLoop.StepsIn(images.Count, options.BatchSize);
        return objective.Parameters.GroupBy(objective.FrozenEpochs).SelectMany(parameters => ParameterGroup.Of(parameters, options.WeightDecay)
            .Select(group => group with { FrozenSteps = parameters.Key * stepsPerEpoch }));
    }

    private static void CheckImages(ImageStore images, VisionTransformerConfig encoder)
    {
        if (images.Count == 0) throw new ArgumentException("There is no image to train on.", nameof(images));
        if ((images.Height, images.Width, images.Channels) != (encoder.ImageHeight, encoder.ImageWidth, encoder.Channels))
            throw new ArgumentException(
                $"The images are {images.Height}x{images.Width} with {images.Channels} channels: expected {encoder.ImageHeight}x{encoder.ImageWidth} with {encoder.Channels}.",
                nameof(images));
    }
}
