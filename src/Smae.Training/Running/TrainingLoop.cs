using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// The one training loop. Each step has a dispose scope of its own, so that memory stays flat; the order of the images and all other random numbers
/// follow from seed, epoch and step alone.
/// </summary>
internal sealed class TrainingLoop : IDisposable
{
    private static readonly TimeSpan ReportEvery = TimeSpan.FromMilliseconds(200);
    private readonly long _imageCount;
    private readonly RandomStream _random;

    /// <param name="imageCount">Images to train on.</param>
    /// <param name="batchSize">Images in a batch; if there are fewer images than that, all of them.</param>
    /// <param name="epochs">Passes over the images.</param>
    /// <param name="seed">Seed of the order of the images.</param>
    public TrainingLoop(long imageCount, int batchSize, int epochs, long seed)
    {
        _imageCount = imageCount;
        _random = new RandomStream(seed);
        BatchSize = (int)Math.Min(batchSize, imageCount);
        StepsPerEpoch = imageCount / BatchSize;   // what is left of an epoch comes up in a later one: the order is new each time
        Epochs = epochs;
    }

    public int BatchSize { get; }

    public int Epochs { get; }

    public long StepsPerEpoch { get; }

    public long TotalSteps => StepsPerEpoch * Epochs;

    public IProgress<TrainingProgress>? Progress { get; init; }

    public Action<EpochSummary>? EpochEnded { get; init; }

    public CancellationToken CancellationToken { get; init; }

    /// <summary>Trains.</summary>
    /// <param name="optimizer">Holds the parameters.</param>
    /// <param name="schedule">The learning rate of each step.</param>
    /// <param name="lossOf">Makes the loss of a step, a scalar with its graph.</param>
    /// <returns>Every epoch's mean loss.</returns>
    /// <exception cref="NonFiniteLossException">The loss is no longer finite.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public IReadOnlyList<EpochSummary> Run(AdamW optimizer, CosineSchedule schedule, Func<TrainingStep, Tensor> lossOf)
    {
        var history = new List<EpochSummary>();
        var run = Stopwatch.StartNew();
        TimeSpan reported = TimeSpan.Zero;
        long step = 0;
        for (int epoch = 0; epoch < Epochs; epoch++)
        {
            ReadOnlyMemory<long> order = Shuffled(epoch);
            var clock = Stopwatch.StartNew();
            double lossSum = 0, rate = 0;
            for (int i = 0; i < StepsPerEpoch; i++, step++)
            {
                CancellationToken.ThrowIfCancellationRequested();
                rate = schedule.At(step);
                lossSum += Step(new TrainingStep(epoch, step, order.Slice(i * BatchSize, BatchSize)), optimizer, rate, lossOf);
                bool ended = i == StepsPerEpoch - 1;
                if (Progress is null || (!ended && step > 0 && run.Elapsed - reported < ReportEvery)) continue;
                reported = run.Elapsed;
                Progress.Report(new TrainingProgress
                {
                    Epoch = epoch + 1, Epochs = Epochs, Step = step + 1, TotalSteps = TotalSteps, Loss = lossSum / (i + 1), LearningRate = rate,
                    ImagesPerSecond = (step + 1) * BatchSize / run.Elapsed.TotalSeconds, Elapsed = run.Elapsed, EpochEnded = ended,
                });
            }
            history.Add(new EpochSummary(epoch + 1, lossSum / StepsPerEpoch, rate, StepsPerEpoch * BatchSize / clock.Elapsed.TotalSeconds));
            EpochEnded?.Invoke(history[^1]);
        }
        return history;
    }

    public void Dispose() => _random.Dispose();

    private static double Step(TrainingStep step, AdamW optimizer, double learningRate, Func<TrainingStep, Tensor> lossOf)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor loss = lossOf(step);
        double value = loss.ToDouble();
        if (!double.IsFinite(value)) throw new NonFiniteLossException(value, step.Epoch + 1, step.Index + 1, learningRate);
        optimizer.ZeroGrad();
        loss.backward();
        optimizer.Step(learningRate);
        return value;
    }

    private long[] Shuffled(int epoch)
    {
        using Tensor order = randperm(_imageCount, ScalarType.Int64, generator: _random.At(RandomUse.Order, epoch));
        return order.data<long>().ToArray();
    }
}
