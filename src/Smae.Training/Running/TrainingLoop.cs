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
        StepsPerEpoch = StepsIn(imageCount, batchSize);
        Epochs = epochs;
    }

    /// <summary>Steps of an epoch: what is left of it comes up in a later one, the order is new each time.</summary>
    public static long StepsIn(long imageCount, int batchSize) => imageCount / Math.Min(batchSize, imageCount);

    public int BatchSize { get; }

    public int Epochs { get; }

    public long StepsPerEpoch { get; }

    public long TotalSteps => StepsPerEpoch * Epochs;

    public IProgress<TrainingProgress>? Progress { get; init; }

    /// <summary>Told of every epoch that is over, and where its last step stood; before the run saves itself.</summary>
    public Action<EpochSummary, TrainingPosition>? EpochEnded { get; init; }

    /// <summary>Evaluates at an epoch's end, given the epochs before it; null, or a result of null, is no evaluation.</summary>
    public Func<IReadOnlyList<EpochSummary>, Evaluation?>? Evaluate { get; init; }

    /// <summary>
    /// Whether to end the run after the epochs so far; null is never. It follows from them alone, so that a run that goes on stops where it stopped.
    /// </summary>
    public Func<IReadOnlyList<EpochSummary>, bool>? Stop { get; init; }

    /// <summary>Told when a step's gradients are whole, before they are clipped and used; it may change them.</summary>
    public Action<TrainingPosition>? GradientsReady { get; init; }

    /// <summary>Told after every step.</summary>
    public Action<TrainingPosition>? StepEnded { get; init; }

    /// <summary>Where the run saves itself; null is nowhere.</summary>
    public CheckpointStore? Checkpoints { get; init; }

    /// <summary>Largest norm of the gradients; null does not clip.</summary>
    public double? ClipGradientNorm { get; init; }

    /// <summary>Parts that a batch is cut into, to save memory; their gradients are averaged.</summary>
    public int AccumulationSteps { get; init; } = 1;

    /// <summary>Make the gradients of losses that come in parts; null where libtorch's own threads do.</summary>
    public GradientWorkers? Workers { get; set; }

    public CancellationToken CancellationToken { get; init; }

    /// <summary>Trains.</summary>
    /// <param name="optimizer">Holds the parameters.</param>
    /// <param name="learningRate">The learning rate of each step.</param>
    /// <param name="weightDecay">The weight decay of each step; null takes the optimiser's own.</param>
    /// <param name="state">All tensors that the run changes, but the optimiser's: what a checkpoint must keep.</param>
    /// <param name="lossOf">How the loss of a step is made; given a scope that ends with the step, for what the loss is made of.</param>
    /// <returns>Every epoch's mean loss.</returns>
    /// <exception cref="NonFiniteLossException">The loss is no longer finite.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public IReadOnlyList<EpochSummary> Run(
        Optimizer optimizer, CosineSchedule learningRate, CosineSchedule? weightDecay, IEnumerable<(string Name, Tensor Tensor)> state,
        Func<TrainingStep, DisposeScope, StepLoss> lossOf)
    {
        (string Name, Tensor Tensor)[] all = [.. state, .. optimizer.State.Select(s => ($"optimizer.{s.Name}", s.Tensor))];
        RunPosition start = Checkpoints?.Restore(all) ?? RunPosition.Start;
        optimizer.StepCount = start.Step;
        List<EpochSummary> history = [.. start.History];
        (long step, double lossSum, long saved) = (start.Step, start.LossSum, start.Step);
        Stopwatch run = Stopwatch.StartNew(), sinceSaved = Stopwatch.StartNew(), sinceReported = Stopwatch.StartNew();

        void Save()
        {
            if (Checkpoints is null || saved == step) return;
            Checkpoints.Save(new RunPosition(step, lossSum, history), all);
            saved = step;
            sinceSaved.Restart();
        }

        for (int epoch = history.Count; epoch < Epochs && Stop?.Invoke(history) != true; epoch++)
        {
            ReadOnlyMemory<long> order = Shuffled(epoch);
            var clock = Stopwatch.StartNew();
            long first = step - epoch * StepsPerEpoch;   // not 0 where a run goes on in the middle of an epoch
            double rate = learningRate.At(Math.Max(0, step - 1));
            for (long i = first; i < StepsPerEpoch; i++)
            {
                if (CancellationToken.IsCancellationRequested)
                {
                    Save();
                    CancellationToken.ThrowIfCancellationRequested();
                }
                rate = learningRate.At(step);
                var taken = new TrainingStep(PositionOf(epoch, step), order.Slice((int)i * BatchSize, BatchSize));
                lossSum += Step(taken, optimizer, rate, weightDecay?.At(step), lossOf);
                step++;
                bool ended = i == StepsPerEpoch - 1;
                if (!ended && Checkpoints is not null && sinceSaved.Elapsed >= Checkpoints.Interval) Save();
                if (Progress is null || (!ended && i > first && sinceReported.Elapsed < ReportEvery)) continue;
                sinceReported.Restart();
                Progress.Report(new TrainingProgress
                {
                    Epoch = epoch + 1, Epochs = Epochs, Step = step, TotalSteps = TotalSteps, Loss = lossSum / (i + 1), LearningRate = rate,
                    ImagesPerSecond = (step - start.Step) * BatchSize / run.Elapsed.TotalSeconds, Elapsed = run.Elapsed,
                    Remaining = run.Elapsed / (step - start.Step) * (TotalSteps - step), EpochEnded = ended,
                });
            }
            double speed = (StepsPerEpoch - first) * BatchSize / clock.Elapsed.TotalSeconds;
            Evaluation? evaluation;
            try
            {
                evaluation = Evaluate?.Invoke(history);
            }
            catch (OperationCanceledException)
            {
                Save();   // after the epoch's last step: whoever goes on begins with the evaluation
                throw;
            }
            if (evaluation is not null && !double.IsFinite(evaluation.Loss)) throw new NonFiniteLossException(evaluation.Loss, epoch + 1, step, rate);
            history.Add(new EpochSummary(epoch + 1, lossSum / StepsPerEpoch, rate, speed) { Validation = evaluation });
            lossSum = 0;
            EpochEnded?.Invoke(history[^1], PositionOf(epoch, step - 1));
            bool over = epoch == Epochs - 1 || Stop?.Invoke(history) == true;
            if (Checkpoints is not null && (over || sinceSaved.Elapsed >= Checkpoints.Interval)) Save();
        }
        return history;
    }

    public void Dispose() => _random.Dispose();

    private double Step(
        TrainingStep step, Optimizer optimizer, double learningRate, double? weightDecay, Func<TrainingStep, DisposeScope, StepLoss> lossOf)
    {
        optimizer.ZeroGrad();
        double sum = 0;
        int parts = Math.Min(AccumulationSteps, step.Images.Length);
        for (int part = 0; part < parts; part++)
        {
            int from = (int)((long)step.Images.Length * part / parts), to = (int)((long)step.Images.Length * (part + 1) / parts);
            double share = (double)(to - from) / step.Images.Length;
            double value = AddGradients(step with { Images = step.Images[from..to], Part = part }, share, lossOf);
            if (!double.IsFinite(value)) throw new NonFiniteLossException(value, step.Position.Epoch + 1, step.Position.Step + 1, learningRate);
            sum += value * share;
        }
        GradientsReady?.Invoke(step.Position);
        if (ClipGradientNorm is { } limit) optimizer.ClipGradients(limit);
        optimizer.Step(learningRate, weightDecay);
        StepEnded?.Invoke(step.Position);
        return sum;
    }

    /// <returns>The mean loss of the step's images.</returns>
    private double AddGradients(TrainingStep step, double share, Func<TrainingStep, DisposeScope, StepLoss> lossOf)
    {
        using DisposeScope scope = NewDisposeScope();
        StepLoss made = lossOf(step, scope);
        if (Workers is not null && made.OfPart is not null) return Workers.AddGradients(made, step.Images.Length, share, step.Place);
        Tensor loss = made.Whole();
        (share == 1 ? loss : loss * share).backward();
        return loss.ToDouble();
    }

    private TrainingPosition PositionOf(int epoch, long step) => new(epoch, Epochs, step, TotalSteps);

    private long[] Shuffled(int epoch)
    {
        using Tensor order = randperm(_imageCount, ScalarType.Int64, generator: _random.At(RandomUse.Order, epoch));
        return order.data<long>().ToArray();
    }
}
