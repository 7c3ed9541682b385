using System.Diagnostics;
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

        long seed = options.Seed ?? 0;
        var model = new MaskedAutoencoder(options.Encoder, options.Decoder, seed).to(device);
        try
        {
            model.Precision = options.Precision;
            model.train();
            using var normalizer = new ImageNormalizer(options.Preprocessing, device);
            using ObjectiveRun objective = options.Objective.Begin(model, device);
            IReadOnlyList<ParameterGroup> groups = [.. ParameterGroup.Of(model, options.WeightDecay), new(objective.Parameters, 0)];
            using var optimizer = new AdamW(groups, options.Beta1, options.Beta2);
            using WeightAverage? average = options.WeightAverageDecay is { } decay ? new WeightAverage(optimizer, decay) : null;
            using RandomStream random = new(seed), forwardNoise = new(seed);
            using var loop = new TrainingLoop(images.Count, options.BatchSize, options.Epochs, seed)
            {
                Progress = options.Progress, CancellationToken = options.CancellationToken, EpochEnded = epoch => log?.Invoke(epoch.ToString()),
                ClipGradientNorm = options.ClipGradientNorm, AccumulationSteps = options.AccumulationSteps,
                StepEnded = _ => average?.Update(),
                Checkpoints = options.Checkpoints is null ? null : new CheckpointStore(options.Checkpoints, options.Fingerprint(images), log),
            };
            var schedule = new CosineSchedule(options.LearningRate, options.WarmupSteps(loop.StepsPerEpoch), loop.TotalSteps, options.MinimumLearningRate);
            log?.Invoke($"Pretraining on {images.Count} images, {options.Epochs} epochs of {loop.StepsPerEpoch} steps of {loop.BatchSize}, on {device}.");

            IEnumerable<(string, Tensor)> state = ModelWeights.Of(model).Concat(objective.State.Select(s => ($"objective.{s.Name}", s.Tensor)));
            if (average is not null) state = state.Append(average.State);
            var clock = Stopwatch.StartNew();
            IReadOnlyList<EpochSummary> history = loop.Run(optimizer, schedule, state, step =>
            {
                Tensor batch = normalizer.Normalize(images.Batch(step.Images.Span), options.Augmentation, random.SequenceAt(RandomUse.Augmentation, step.Place));
                model.Encoder.Noise.Generator = forwardNoise.At(RandomUse.Model, step.Place);
                PatchMask mask = options.Masking.Draw(batch.size(0), options.Encoder.GridHeight, options.Encoder.GridWidth, random.At(RandomUse.Mask, step.Place));
                return objective.Loss(batch, mask.To(device));
            });
            clock.Stop();
            average?.Adopt();

            model.eval();
            var encoder = new ImageEncoder(model.Encoder, options.Preprocessing, options.Pooling, device);
            return new MaePretrainResult(model, encoder, history, loop.StepsPerEpoch * loop.BatchSize, clock.Elapsed);
        }
        catch
        {
            model.Dispose();
            throw;
        }
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
