using System.Diagnostics;

namespace Smae.Training;

/// <summary>
/// What every kind of training has in common: it gives the epochs, steps and parts of steps of a run, to be looped over, and takes care of schedules, the
/// average of the weights, checkpoints, progress, cancellation and random numbers. All random numbers follow from seed, epoch, step and part alone, so a run
/// that stopped goes on as if it had not. The loop runs without gradients, <see cref="StepPart.Backward"/> turns them on; each step and each part has a dispose
/// scope of its own, so memory stays flat.
/// </summary>
internal sealed class Trainer : IDisposable
{
    private static readonly TimeSpan s_reportEvery = TimeSpan.FromMilliseconds(200);
    private readonly TrainingOptions _options;
    private readonly Optimizer _optimizer;
    private readonly ForwardNoise? _noise;
    private readonly Action<string>? _log;
    private readonly RandomStream _modelRandom;   // of its own: dropout draws all through a step, between other random numbers
    private readonly WeightAverage? _average;
    private readonly CheckpointStore? _checkpoints;
    private readonly CosineSchedule _learningRate;
    private readonly CosineSchedule? _weightDecay;
    private readonly (string Name, Tensor Tensor)[] _state;
    private readonly long _imageCount;
    private readonly int _batchSize;
    private readonly long _stepsPerEpoch;
    private readonly List<EpochSummary> _history = [];
    private readonly Stopwatch _run = new(), _sinceSaved = new(), _sinceReported = new();
    private long _step, _first, _saved;   // steps done; those done before this object went on, and those in the newest checkpoint
    private double _lossSum;
    private TimeSpan _epochTime;

    /// <param name="state">All tensors that the run changes, but those of optimiser and average: what a checkpoint must keep.</param>
    /// <param name="identity">A text that two runs share only if one can go on where the other stopped; asked for only where there are checkpoints.</param>
    /// <param name="noise">What the model's dropout draws from; null if it has none of its own.</param>
    public Trainer(
        TrainingOptions options, Optimizer optimizer, IEnumerable<(string Name, Tensor Tensor)> state, long imageCount, Func<string> identity,
        ForwardNoise? noise, Action<string>? log)
    {
        (_options, _optimizer, _imageCount, _noise, _log) = (options, optimizer, imageCount, noise, log);
        long seed = options.Seed ?? 0;
        _batchSize = (int)Math.Min(options.BatchSize, imageCount);
        _stepsPerEpoch = StepsPerEpoch(options, imageCount);
        (_learningRate, _weightDecay) = (options.LearningRates(_stepsPerEpoch), options.WeightDecays(_stepsPerEpoch));
        NativeTuning.Apply();
        if (options.Checkpoints is not null) _checkpoints = new CheckpointStore(options.Checkpoints, ValueText.Invariant(identity), log);
        if (options.WeightAverageDecay is { } decay) _average = new WeightAverage(optimizer, decay);
        _state =
        [
            .. state, .. _average is null ? [] : (IEnumerable<(string, Tensor)>)[_average.State],
            .. optimizer.State.Select(s => ($"optimizer.{s.Name}", s.Tensor)),
        ];
        (Random, _modelRandom) = (new RandomStream(seed), new RandomStream(seed));
        Cpu = options.Plain ? null : CpuGradients.Create(optimizer, noise, seed);
    }

    /// <summary>Steps of an epoch: what is left of the images comes up in a later one, the order is new each time.</summary>
    public static long StepsPerEpoch(TrainingOptions options, long imageCount) => imageCount / Math.Min(options.BatchSize, imageCount);

    /// <summary>Every epoch that is over.</summary>
    public IReadOnlyList<EpochSummary> History => _history;

    /// <summary>How long training took since the run began or went on.</summary>
    public TimeSpan Elapsed => _run.Elapsed;

    /// <summary>Images trained on a second since the run began or went on.</summary>
    public double ImagesPerSecond => (_step - _first) * _batchSize / Elapsed.TotalSeconds;

    /// <summary>How long the run is, for people.</summary>
    public string Plan => $"{_options.Epochs} epochs of {_stepsPerEpoch} steps of {_batchSize}";

    internal RandomStream Random { get; }

    internal CpuGradients? Cpu { get; }

    private long TotalSteps => _stepsPerEpoch * _options.Epochs;

    /// <summary>The epochs that are left, from the newest checkpoint on. After the last, the average, if there is one, has taken the weights' place.</summary>
    /// <param name="until">Whether to end after the epochs so far, which follows from them alone: a run that goes on stops where it stopped.</param>
    public IEnumerable<TrainingEpoch> Epochs(Func<IReadOnlyList<EpochSummary>, bool>? until = null)
    {
        using var noGrad = no_grad();
        Restore();
        foreach (Stopwatch clock in (Stopwatch[])[_run, _sinceSaved, _sinceReported]) clock.Start();
        bool IsOver() => _history.Count == _options.Epochs || until?.Invoke(_history) == true;
        while (!IsOver())
        {
            long last = (_history.Count + 1) * _stepsPerEpoch - 1;
            var epoch = new TrainingEpoch(new TrainingPosition(_history.Count, _options.Epochs, last, TotalSteps));
            yield return epoch;
            double speed = _stepsPerEpoch * _batchSize / _epochTime.TotalSeconds;
            _history.Add(new EpochSummary(epoch.Number, _lossSum / _stepsPerEpoch, _learningRate.At(last), speed) { Validation = epoch.Validation });
            (_lossSum, _epochTime) = (0, TimeSpan.Zero);
            _log?.Invoke(_history[^1].ToString());
            if (IsOver() || IsTimeToSave) Save();
        }
        _run.Stop();
        _average?.Adopt();
    }

    /// <summary>The steps of an epoch that are left, in the order of the images that seed and epoch give.</summary>
    /// <exception cref="OperationCanceledException">The run was cancelled; it has saved itself.</exception>
    public IEnumerable<TrainingStep> Steps(TrainingEpoch epoch)
    {
        ReadOnlyMemory<long> order = Shuffled(epoch.Last.Epoch);
        long begin = epoch.Last.Epoch * _stepsPerEpoch, first = _step;   // first is later than begin where a run goes on in the middle of an epoch
        TimeSpan before = _epochTime;
        var clock = Stopwatch.StartNew();
        while (_step <= epoch.Last.Step)
        {
            if (_options.CancellationToken.IsCancellationRequested) Save();
            _options.CancellationToken.ThrowIfCancellationRequested();
            double rate = _learningRate.At(_step);
            using (NewDisposeScope())
            {
                _optimizer.ZeroGrad();
                ReadOnlyMemory<long> images = order.Slice((int)(_step - begin) * _batchSize, _batchSize);
                yield return new TrainingStep(epoch.Last with { Step = _step }, rate, images);
            }
            _step++;
            _epochTime = before + clock.Elapsed;
            bool ended = _step > epoch.Last.Step;
            if (!ended && IsTimeToSave) Save();
            if (ended || _step == first + 1 || _sinceReported.Elapsed >= s_reportEvery) Report(_step - begin, epoch.Number, rate, ended);
        }
    }

    /// <summary>The parts of a step: one, or as many as gradients are accumulated over.</summary>
    public IEnumerable<StepPart> Parts(TrainingStep step)
    {
        int parts = Math.Min(_options.AccumulationSteps, step.Images.Length);
        int Begin(int part) => (int)((long)step.Images.Length * part / parts);
        for (int part = 0; part < parts; part++)
        {
            using DisposeScope scope = NewDisposeScope();
            var given = new StepPart(this, step, part, step.Images[Begin(part)..Begin(part + 1)], scope);
            if (_noise is not null) _noise.Generator = _modelRandom.At(RandomUse.Model, given.Place);
            yield return given;
        }
    }

    /// <summary>Changes the weights by the step's gradients: clips these, takes the optimiser's step, updates the average.</summary>
    public void Update(TrainingStep step)
    {
        if (_options.ClipGradientNorm is { } limit) _optimizer.ClipGradients(limit);
        _optimizer.Step(step.LearningRate, _weightDecay?.At(step.Position.Step));
        _average?.Update();
    }

    /// <summary>Evaluates the average of the weights, or without one the weights.</summary>
    /// <exception cref="NonFiniteLossException">The loss is infinite or not a number.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled; it has saved itself, and who goes on begins with the evaluation.</exception>
    public Evaluation Evaluate(TrainingEpoch epoch, Func<Evaluation> evaluate)
    {
        Evaluation? evaluation = null;
        _average?.Swap();
        try
        {
            evaluation = evaluate();
        }
        finally
        {
            _average?.Swap();
            if (evaluation is null && _options.CancellationToken.IsCancellationRequested) Save();
        }
        if (double.IsFinite(evaluation.Loss)) return evaluation;
        throw new NonFiniteLossException(evaluation.Loss, epoch.Number, _step, _learningRate.At(epoch.Last.Step));
    }

    /// <summary>Counts a loss in the step and the epoch.</summary>
    internal void Add(double loss) => _lossSum += loss;

    private bool IsTimeToSave => _checkpoints is not null && _sinceSaved.Elapsed >= _options.Checkpoints!.Interval;

    private void Restore()
    {
        RunPosition start = _checkpoints?.Restore(_state) ?? RunPosition.Start;
        (_step, _lossSum, _epochTime) = (start.Step, start.LossSum, start.EpochTime);
        _first = _saved = _optimizer.StepCount = start.Step;
        _history.AddRange(start.History);
    }

    private void Save()
    {
        if (_checkpoints is null || _saved == _step) return;
        _checkpoints.Save(new RunPosition(_step, _lossSum, _epochTime, _history), _state);
        _saved = _step;
        _sinceSaved.Restart();
    }

    private void Report(long stepsInEpoch, int epoch, double rate, bool ended)
    {
        _sinceReported.Restart();
        _options.Progress?.Report(new TrainingProgress
        {
            Epoch = epoch, Epochs = _options.Epochs, Step = _step, TotalSteps = TotalSteps, Loss = _lossSum / stepsInEpoch, LearningRate = rate,
            ImagesPerSecond = ImagesPerSecond, Elapsed = Elapsed, Remaining = Elapsed / (_step - _first) * (TotalSteps - _step), EpochEnded = ended,
        });
    }

    private long[] Shuffled(int epoch)
    {
        using Tensor order = randperm(_imageCount, ScalarType.Int64, generator: Random.At(RandomUse.Order, epoch));
        return order.data<long>().ToArray();
    }

    public void Dispose()
    {
        if (_noise is not null) _noise.Generator = null;
        Cpu?.Dispose();
        _average?.Dispose();
        _checkpoints?.Dispose();
        Random.Dispose();
        _modelRandom.Dispose();
    }
}
