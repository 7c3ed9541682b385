using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>What the options say, set up for one run: optimiser, average of the weights, schedule, loop, checkpoints and random numbers.</summary>
internal sealed class TrainingRun : IDisposable
{
    private readonly Optimizer _optimizer;
    private readonly WeightAverage? _average;
    private readonly TrainingLoop _loop;
    private readonly CosineSchedule _learningRate;
    private readonly CosineSchedule? _weightDecay;
    private readonly Precision _precision;
    private readonly long _seed;
    private long _steps;   // that this object did, not those before it went on

    /// <param name="options">How.</param>
    /// <param name="optimizer">Holds the parameters; disposed with this object.</param>
    /// <param name="imageCount">Images to train on.</param>
    /// <param name="fingerprint">
    /// A text that two runs share only if one can go on where the other stopped; asked for only where there are checkpoints.
    /// </param>
    /// <param name="log">Given a line for people at each epoch's end.</param>
    /// <param name="evaluate">
    /// Evaluates after an epoch, given those before it; with an average of the weights, the average is evaluated. Null is never.
    /// </param>
    /// <param name="stop">Whether to end the run after the epochs so far. Null is never.</param>
    public TrainingRun(
        TrainingOptions options, Optimizer optimizer, long imageCount, Func<string> fingerprint, Action<string>? log,
        Func<IReadOnlyList<EpochSummary>, Evaluation?>? evaluate = null, Func<IReadOnlyList<EpochSummary>, bool>? stop = null)
    {
        (_optimizer, _precision, _seed) = (optimizer, options.Precision, options.Seed ?? 0);
        _average = options.WeightAverageDecay is { } decay ? new WeightAverage(optimizer, decay) : null;
        Random = new RandomStream(_seed);
        _loop = new TrainingLoop(imageCount, options.BatchSize, options.Epochs, _seed)
        {
            Progress = options.Progress, CancellationToken = options.CancellationToken, ClipGradientNorm = options.ClipGradientNorm,
            AccumulationSteps = options.AccumulationSteps, GradientsReady = position => Tell(GradientsReady, position),
            StepEnded = position =>
            {
                _steps++;
                _average?.Update();
                Tell(StepEnded, position);
            },
            EpochEnded = (epoch, position) =>
            {
                log?.Invoke(epoch.ToString());
                Tell(EpochEnded, position);
            },
            Checkpoints = options.Checkpoints is null ? null : new CheckpointStore(options.Checkpoints, fingerprint(), log),
            Evaluate = evaluate is null ? null : earlier => OnAverage(() => evaluate(earlier)), Stop = stop,
        };
        (_learningRate, _weightDecay) = (options.LearningRates(_loop.StepsPerEpoch), options.WeightDecays(_loop.StepsPerEpoch));
    }

    /// <summary>Random numbers of this run; what <see cref="RandomStream.At"/> gives holds until the next call.</summary>
    public RandomStream Random { get; }

    /// <summary>Told when a step's gradients are whole, before they are clipped and used; it may change them.</summary>
    public Action<TrainingPosition>? GradientsReady { get; init; }

    /// <summary>Told after every step.</summary>
    public Action<TrainingPosition>? StepEnded { get; init; }

    /// <summary>Told after every epoch, with its last step.</summary>
    public Action<TrainingPosition>? EpochEnded { get; init; }

    /// <summary>How long the run is, for people.</summary>
    public string Plan => $"{_loop.Epochs} epochs of {_loop.StepsPerEpoch} steps of {_loop.BatchSize}";

    /// <summary>Trains; at the end the average, if there is one, has taken the place of the weights.</summary>
    /// <param name="state">All tensors that the run changes, but those of optimiser and average: what a checkpoint must keep.</param>
    /// <param name="noise">What the model's dropout draws from; null if it has none of its own.</param>
    /// <param name="lossOf">How the loss of a step is made; given a scope that ends with the step, for what the loss is made of.</param>
    /// <returns>Every epoch; how long it took since the run began or went on, and how many images a second that was.</returns>
    public (IReadOnlyList<EpochSummary> History, TimeSpan Elapsed, double ImagesPerSecond) Execute(
        IEnumerable<(string Name, Tensor Tensor)> state, ForwardNoise? noise, Func<TrainingStep, DisposeScope, StepLoss> lossOf)
    {
        using var drawn = new RandomStream(_seed);   // of its own: dropout draws all through a step, between other random numbers
        if (_average is not null) state = state.Append(_average.State);
        NativeTuning.Apply();
        int threads = _optimizer.Weights.device_type == DeviceType.CPU ? CoreThreads.Count : 1;
        using GradientWorkers? workers = threads > 1 ? new GradientWorkers(_optimizer, threads, _precision, noise, _seed) : null;
        _loop.Workers = workers;
        var clock = Stopwatch.StartNew();
        IReadOnlyList<EpochSummary> history = _loop.Run(_optimizer, _learningRate, _weightDecay, state, (step, scope) =>
        {
            if (noise is not null) noise.Generator = drawn.At(RandomUse.Model, step.Place);
            return lossOf(step, scope);
        });
        clock.Stop();
        if (noise is not null) noise.Generator = null;
        _average?.Adopt();
        return (history, clock.Elapsed, _steps * _loop.BatchSize / clock.Elapsed.TotalSeconds);
    }

    /// <summary>What is told changes tensors, not graphs, and leaves none behind.</summary>
    private static void Tell(Action<TrainingPosition>? listener, TrainingPosition position)
    {
        if (listener is null) return;
        using DisposeScope scope = NewDisposeScope();
        using var noGrad = no_grad();
        listener(position);
    }

    private Evaluation? OnAverage(Func<Evaluation?> evaluate)
    {
        _average?.Swap();
        try
        {
            return evaluate();
        }
        finally
        {
            _average?.Swap();
        }
    }

    public void Dispose()
    {
        _loop.Dispose();
        Random.Dispose();
        _average?.Dispose();
        _optimizer.Dispose();
    }
}
