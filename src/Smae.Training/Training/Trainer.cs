using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace Smae.Training;

/// <summary>
/// What every kind of training has in common: it gives the epochs, steps and parts of steps of a run, to be looped over, and takes care of schedules, the
/// average of the weights, checkpoints, progress, cancellation and random numbers. All random numbers follow from seed, epoch, step and part alone, so a run
/// that stopped goes on as if it had not. The loop runs without gradients, <see cref="StepPart.Backward"/> turns them on; each step and each part has a dispose
/// scope of its own, so memory stays flat.
/// </summary>
internal sealed class Trainer : IDisposable
{
    /// <summary>What a checkpoint calls the images.</summary>
    public const string Images = "Images";

    private static readonly TimeSpan s_reportEvery = TimeSpan.FromMilliseconds(200);
    private readonly TrainingOptions _options;
    private readonly Optimizer _optimizer;
    private readonly ForwardNoise? _noise;
    private readonly Action<string>? _log;
    private readonly Ranks _ranks;
    private readonly bool _divides;
    private readonly WeightAverage? _average;
    private readonly CheckpointStore? _checkpoints;
    private readonly TimePlan? _time;
    private readonly (string Name, Tensor Tensor)[] _state;
    private readonly List<Tensor> _places = [];   // views of flat buffers, one for each parameter
    private readonly EpochImages _images;
    private readonly RunPlan _most;   // the run as the options have it
    private readonly List<EpochSummary> _history = [];
    private readonly Stopwatch _sinceSaved = new(), _sinceReported = new();
    private long _step, _done, _saved = -1;   // steps of the run; those that this object took, and those in the newest checkpoint
    private int _recoveries;
    private RunPlan? _plan;   // what was decided of it, where a time is given
    private CosineSchedule _learningRate;
    private CosineSchedule? _weightDecay;
    private bool _isCancelled, _isTimeToSave;   // what all ranks know of each other
    private double _lossSum;       // of the epoch
    private TrainingStep? _unread;   // a step whose loss is not in the sum yet
    private long? _began;      // on the options' clock
    private TimeSpan? _took;   // when it has ended
    private TimeSpan _epochTime, _earlier;   // the latter is the time that the run took before this object went on with it

    /// <param name="state">All tensors that the run changes, but those of optimiser and average: what a checkpoint must keep.</param>
    /// <param name="settings">
    /// By name, what two runs share only if one can go on where the other stopped, asked for only where there are checkpoints; or, given true, what is told at a
    /// glance and all ranks must share.
    /// </param>
    /// <param name="noise">What the model's dropout draws from; null if it has none of its own.</param>
    /// <param name="validation">Epochs between two validations, and how many images are looked at.</param>
    /// <param name="divides">Whether ranks divide the images of a step; else each works on all of them, as on what takes no time.</param>
    public Trainer(
        TrainingOptions options, Optimizer optimizer, IEnumerable<(string Name, Tensor Tensor)> state, EpochImages images,
        Func<bool, IEnumerable<(string Name, string Value)>> settings,
        ForwardNoise? noise, Action<string>? log, (int Every, long Images) validation = default, Ranks? ranks = null, bool divides = true)
    {
        _ranks = ranks ?? Ranks.Alone;
        (_options, _optimizer, _images, _noise, _log, _divides) = (options, optimizer, images, noise, _ranks.IsFirst ? log : null, divides);
        long seed = options.Seed ?? 0;
        _most = new RunPlan(options.Epochs, images.StepCount, IsFinal: true);
        (_learningRate, _weightDecay) = Schedules();
        double validationSteps = validation.Images / (3.0 * _images.BatchSize);   // forward alone
        if (options.TimeBudget is { } budget) _time = new TimePlan(budget, _most, validation.Every, validationSteps);
        NativeTuning.Apply();
        CheckRanks(settings);
        if (options.Checkpoints is not null && (_ranks.IsFirst || _ranks.AreSharded))
        {
            Dictionary<string, string> named = ValueText.Invariant(() => settings(false).ToDictionary(s => s.Name, s => s.Value));
            foreach (string name in named.Keys.Where(IsOfShard)) named[name] = OfShards(name, named[name]);
            if (_ranks.IsFirst) _checkpoints = new CheckpointStore(options.Checkpoints, named, log);
        }
        if (options.WeightAverageDecay is { } decay) _average = new WeightAverage(optimizer, decay);
        _state = [.. state];
        if (options.Checkpoints is not null) _state =
        [
            .. _state, .. _average is null ? [] : Named(StateNames.Average, _average.State.Tensor),
            .. optimizer.State.SelectMany(s => Named($"{StateNames.Optimizer}{s.Name}.", s.Tensor)),
        ];
        Random = new RandomStream(seed);
        Cpu = options.Plain ? null : CpuGradients.Create(optimizer, noise);
    }

    /// <summary>Every epoch that is over.</summary>
    public IReadOnlyList<EpochSummary> History => _history;

    /// <summary>How long training took since the run began or went on.</summary>
    public TimeSpan Elapsed => _took ?? (_began is { } began ? _options.Clock.GetElapsedTime(began) : TimeSpan.Zero);

    /// <summary>Images trained on a second since the run began or went on.</summary>
    public double ImagesPerSecond => _done * _images.BatchSize / Elapsed.TotalSeconds;

    /// <summary>How long the run is, for people.</summary>
    public string Plan => FormattableString.Invariant(
        $"{(_time is null ? "" : $"{_options.TimeBudget:c}, at most ")}{EpochCount} epochs of {StepsInEpoch} steps of {_images.BatchSize}");

    /// <summary>Stops evaluations; where there are several ranks it is none, since all must stop at the same place.</summary>
    public CancellationToken Cancellation => _ranks.AreSeveral ? default : _options.CancellationToken;

    internal Ranks Ranks => _ranks;

    internal RandomStream Random { get; }

    internal CpuGradients? Cpu { get; }

    private int EpochCount => (_plan ?? _most).Epochs;

    private long StepsInEpoch => (_plan ?? _most).StepsPerEpoch;

    private long TotalSteps => StepsInEpoch * EpochCount;

    private TrainingPosition LastOfEpoch => new(_history.Count, EpochCount, (_history.Count + 1) * StepsInEpoch - 1, TotalSteps);

    private (CosineSchedule, CosineSchedule?) Schedules() => (_options.LearningRates(StepsInEpoch, EpochCount), _options.WeightDecays(StepsInEpoch, EpochCount));

    /// <summary>
    /// Runs a loop over <see cref="Epochs"/>; after a loss that is not finite again, from the last good checkpoint on at half the learning rate, as often as the
    /// options allow.
    /// </summary>
    /// <exception cref="NonFiniteLossException">The loss became infinite or not a number once more.</exception>
    public void Recovering(Action loop)
    {
        while (true)
        {
            try
            {
                loop();
                return;
            }
            catch (NonFiniteLossException e)
            {
                _checkpoints?.Reject(_step);
                if (_recoveries >= _options.RecoverFromNonFiniteLoss) throw;
                _recoveries++;
                _log?.Invoke($"{e.Message} Going back, by itself, to half the rate: {_recoveries} of {_options.RecoverFromNonFiniteLoss} times.");
            }
        }
    }

    /// <summary>The epochs that are left, from the newest checkpoint on. After the last, the average, if there is one, has taken the weights' place.</summary>
    /// <param name="until">Whether to end after the epochs so far, which follows from them alone: a run that goes on stops where it stopped.</param>
    public IEnumerable<TrainingEpoch> Epochs(Func<IReadOnlyList<EpochSummary>, bool>? until = null)
    {
        using var noGrad = no_grad();
        Restore();
        _began ??= _options.Clock.GetTimestamp();
        _sinceSaved.Start();
        _sinceReported.Start();
        bool IsOver() => _history.Count >= EpochCount || until?.Invoke(_history) == true;
        while (!IsOver())
        {
            var epoch = new TrainingEpoch { Last = LastOfEpoch };
            yield return epoch;
            ReadLoss();
            double speed = StepsInEpoch * _images.BatchSize / _epochTime.TotalSeconds;
            _history.Add(new EpochSummary(epoch.Number, _lossSum / StepsInEpoch, LearningRate(epoch.Last.Step), speed)
                { Validation = epoch.Validation, HeldOut = epoch.HeldOut });
            Report(StepsInEpoch, epoch, LearningRate(epoch.Last.Step), ended: true);
            (_lossSum, _epochTime) = (0, TimeSpan.Zero);
            _log?.Invoke(_history[^1].ToString());
            CheckFinite();
            Revise(stepsInEpoch: 0);
            if (IsOver() || _ranks.Any(_ranks.IsFirst && IsTimeToSave, "the end of the epoch")) Save();
        }
        _took = Elapsed;
        _average?.Adopt();
    }

    /// <summary>The steps of an epoch that are left, in the order of the images that seed and epoch give.</summary>
    /// <exception cref="OperationCanceledException">The run was cancelled; it has saved itself.</exception>
    public IEnumerable<TrainingStep> Steps(TrainingEpoch epoch)
    {
        ReadOnlyMemory<long> order = _images.Order(epoch.Last.Epoch, Random);
        long begin = epoch.Last.Epoch * StepsInEpoch, first = _step;   // first is later than begin where a run goes on in the middle of an epoch
        TimeSpan before = _epochTime;
        var clock = Stopwatch.StartNew();
        (_isCancelled, _isTimeToSave) = (_ranks.Any(_options.CancellationToken.IsCancellationRequested, "the epoch to begin"), false);
        while (_step <= epoch.Last.Step)
        {
            if (_ranks.AreSeveral ? _isCancelled : _options.CancellationToken.IsCancellationRequested)
            {
                Save();
                throw new OperationCanceledException(_options.CancellationToken);
            }
            double rate = LearningRate(_step);
            using (NewDisposeScope())
            {
                _optimizer.ZeroGrad();
                ReadOnlyMemory<long> images = order.Slice((int)(_step - begin) * _images.BatchSize, _images.BatchSize);
                yield return new TrainingStep(epoch.Last with { Step = _step }, rate, images);
            }
            (_step, _done) = (_step + 1, _done + 1);
            _epochTime = before + clock.Elapsed;
            _time?.StepEnded(Elapsed);
            Revise(_step - begin);
            epoch.Last = LastOfEpoch;
            if (_step > epoch.Last.Step) break;   // the epoch's end is reported, and saved, when whoever trains is done with it
            if (_ranks.AreSeveral ? _isTimeToSave : IsTimeToSave) Save();
            if (_step == first + 1 || _sinceReported.Elapsed >= s_reportEvery) Report(_step - begin, epoch, rate, ended: false);
        }
    }

    /// <summary>The parts of a step: one, or as many as gradients are accumulated over. After the last, gradients and loss are those of all ranks.</summary>
    /// <exception cref="NonFiniteLossException">The loss, or that of the step before, is infinite or not a number.</exception>
    public IEnumerable<StepPart> Parts(TrainingStep step)
    {
        for (int part = 0; part < _images.PartCount; part++)
        {
            using DisposeScope scope = NewDisposeScope();
            (int begin, int end) = _images.Part(part);
            ReadOnlyMemory<long> whole = step.Images[begin..end];
            var given = new StepPart(this, step, part, whole, _divides ? _ranks.ShareOf(whole.Length) : (0, whole.Length), scope);
            _noise?.Begin(Random.SeedAt(RandomUse.Model, given.Place), given.First, given.Count);
            yield return given;
        }
        ReadLoss();   // of the step before: a GPU has this one to go on with, and is not waited for
        if (_ranks.AreSeveral)
        {
            double own = step.ReadLoss();
            if (!_divides) _optimizer.Gradients.DivideInPlace(_ranks.Count);   // all have the same, but for rounding
            double[] sums = _ranks.Sum(
                _optimizer.Gradients, "the gradients", true, _divides ? own : own / _ranks.Count,
                _options.CancellationToken.IsCancellationRequested ? 1 : 0, _ranks.IsFirst && IsTimeToSave ? 1 : 0);
            (_isCancelled, _isTimeToSave) = (sums[1] > 0, sums[2] > 0);   // decided by all at the same step
            Count(step, sums[0]);
            yield break;
        }
        _unread = step;
        if (step.IsLossMade) ReadLoss();
    }

    /// <summary>Changes the weights by the step's gradients: clips these, takes the optimiser's step, updates the average.</summary>
    public void Update(TrainingStep step)
    {
        if (_options.ClipGradientNorm is { } limit) _optimizer.LimitGradients(limit);
        _optimizer.Step(step.LearningRate, _weightDecay?.At(step.Position.Step));
        _average?.Update();
    }

    /// <summary>Evaluates the average of the weights, or without one the weights.</summary>
    /// <param name="loss">What of the evaluation must be finite.</param>
    /// <exception cref="NonFiniteLossException">The loss is infinite or not a number.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled; it has saved itself, and who goes on begins with the evaluation.</exception>
    public T Evaluate<T>(TrainingEpoch epoch, Func<T> evaluate, Func<T, double> loss) where T : class
    {
        ReadLoss();
        T? evaluation = null;
        TimeSpan before = Elapsed;
        _average?.Swap();
        try
        {
            evaluation = evaluate();
        }
        finally
        {
            _average?.Swap();
            if (evaluation is null && Cancellation.IsCancellationRequested) Save();
        }
        _time?.Evaluated(Elapsed - before);
        if (double.IsFinite(loss(evaluation))) return evaluation;
        throw new NonFiniteLossException(loss(evaluation), epoch.Number, _step, LearningRate(epoch.Last.Step));
    }

    private void ReadLoss()
    {
        if (_unread is not { } step) return;
        _unread = null;
        Count(step, step.ReadLoss());
    }

    private void Count(TrainingStep step, double loss)
    {
        if (!double.IsFinite(loss))
        {
            _step = step.Position.Step;   // this is where the run failed, though it may have gone on for a step
            throw new NonFiniteLossException(loss, step.Position.Epoch + 1, step.Position.Step + 1, step.LearningRate);
        }
        _lossSum += loss;
    }

    private bool IsTimeToSave => _options.Checkpoints is { } checkpoints && _sinceSaved.Elapsed >= checkpoints.Interval;

    private double LearningRate(long step) => _learningRate.At(step) * Math.Pow(0.5, _recoveries);

    /// <summary>Refuses ranks that would not train the same, and steps that have not an image for each.</summary>
    private void CheckRanks(Func<bool, IEnumerable<(string Name, string Value)>> settings)
    {
        if (!_ranks.AreSeveral) return;
        _ranks.CheckSame(ValueText.Invariant(() =>
            ((string, string)[])
            [
                .. settings(true).Select(s => IsOfShard(s.Name) && s.Value != "none" ? (s.Name, "a shard") : s),
                ("Smae", Version(typeof(Trainer))), ("TorchSharp", Version(typeof(torch))), ("Checkpoints", $"{_options.Checkpoints}"),
            ]), Ranks.OwnImages);
        int[] processes = _ranks.OfAll(Environment.ProcessId, "the processes of all ranks");
        _log?.Invoke(_ranks.Describe(processes));   // the launcher names processes where one is killed
        int least = _images.BatchSize / _images.PartCount;
        if (_divides && least < _ranks.Count)
            throw new ArgumentException(
                $"A batch of {_images.BatchSize} images in {_images.PartCount} parts has {least} at a time for {_ranks.Count} ranks: expected one for each.");

        static string Version(Type type) => type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
    }

    /// <summary>Whether a setting is another one on each shard.</summary>
    private bool IsOfShard(string name) => _ranks.AreSharded && (name is Images or Supervision.ValidationImages);

    /// <summary>A setting of all shards. A run goes on with the same only: where images come from another rank, a batch is made of others.</summary>
    private string OfShards(string name, string own) => string.Create(CultureInfo.InvariantCulture,
        $"shards of {_ranks.Count} ranks, {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('|', _ranks.Texts(own, name)))))}");

    private void Restore()
    {
        RunPosition? own = _checkpoints?.Restore(_state);
        bool isNew = _ranks.FromFirst(() => own is null, "the checkpoint");
        if (isNew && _recoveries > 0)
            throw new InvalidDataException($"No checkpoint to go back to is left in '{_options.Checkpoints!.Directory}'.");
        OtherCheckpoint? other = isNew ? _checkpoints?.Continue(_state, Continuation.IsNeeded) : null;
        RunPosition start = _ranks.FromFirst(
            () => own ?? (other is null ? RunPosition.Start : new Continuation(_options, _most, _state, _log).Begin(other)), "the checkpoint");
        _ranks.FromFirst(_state.Select(s => s.Tensor), "the weights");
        (_unread, _step, _lossSum, _epochTime, _recoveries) = (null, start.Step, start.LossSum, start.EpochTime, Math.Max(start.Recoveries, _recoveries));
        (_optimizer.StepCount, _optimizer.ExtraSteps) = (start.Updates, start.Updates - start.Step);
        _history.Clear();
        _history.AddRange(start.History);
        if (_began is null) _earlier = start.Elapsed;
        _plan = start.Plan;
        (_learningRate, _weightDecay) = Schedules();
        if (other is not null)
            _log?.Invoke(_step >= TotalSteps ? "No epoch is left: a larger number of Epochs trains on." : string.Create(CultureInfo.InvariantCulture,
                $"The next step is {_step + 1} of {TotalSteps}, at a learning rate of {LearningRate(_step):G3}."));
        _saved = !isNew && start.Recoveries == _recoveries ? start.Step : -1;
        if (_options.RecoverFromNonFiniteLoss > 0) Save();   // what it may go back to, and at which rate
    }

    /// <summary>Fits the run into its time, if there is one, where its speed has become known.</summary>
    private void Revise(long stepsInEpoch)
    {
        if (_time is null || _plan is { IsFinal: true }) return;
        TimeSpan now = Elapsed;
        RunPlan? made = _ranks.IsFirst ? _time.Revise(_plan, now, _earlier, _history.Count, stepsInEpoch) : null;
        if (!_ranks.Any(made is not null, "the first rank's clock")) return;
        RunPlan plan = _ranks.FromFirst(() => made!, "the plan");
        _plan = plan;
        (_learningRate, _weightDecay) = Schedules();
        _log?.Invoke(_time.Explain(plan, now));
    }

    private void Save()
    {
        if (_options.Checkpoints is null || _saved == _step) return;
        ReadLoss();
        CheckFinite();
        _checkpoints?.Save(
            new RunPosition(_step, _lossSum, _epochTime, _history)
            {
                Updates = _optimizer.StepCount, Recoveries = _recoveries, Plan = _plan, Elapsed = _earlier + Elapsed,
            },
            _state);
        _saved = _step;
        _sinceSaved.Restart();
    }

    /// <exception cref="NonFiniteLossException">A step has made weights of which the next loss would not be finite.</exception>
    private void CheckFinite()
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (Tensor tensor in (Tensor[])[_optimizer.Weights, .. _optimizer.State.Select(s => s.Tensor)])
            // A sum is one pass over the numbers in place of five. It is finite only if all are; where it is not, they are looked at.
            if (!double.IsFinite(tensor.sum().AsDouble()) && !tensor.isfinite().all().AsBoolean())
                throw new NonFiniteLossException(double.NaN, (int)((_step - 1) / StepsInEpoch) + 1, _step, LearningRate(_step - 1));
    }

    /// <summary>The parameters' places in a flat buffer under the names of the parameters: another order of these, in another run, does no harm.</summary>
    private IEnumerable<(string, Tensor)> Named(string prefix, Tensor buffer)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor[] places = [.. _optimizer.PlacesIn(buffer).Select(place => place.DetachFromDisposeScope())];
        _places.AddRange(places);
        Dictionary<IntPtr, string> names = _state.ToDictionary(s => s.Tensor.Handle, s => s.Name);
        return [.. _optimizer.Parameters.Zip(places).Select((pair, i) => (prefix + names.GetValueOrDefault(pair.First.Handle, $"parameter.{i}"), pair.Second))];
    }

    private void Report(long stepsInEpoch, TrainingEpoch epoch, double rate, bool ended)
    {
        _sinceReported.Restart();
        if (!_ranks.IsFirst || _options.Progress is not { } progress) return;
        ReadLoss();
        progress.Report(new TrainingProgress
        {
            Epoch = epoch.Number, Epochs = EpochCount, Step = _step, TotalSteps = TotalSteps, Loss = _lossSum / stepsInEpoch, LearningRate = rate,
            ImagesPerSecond = ImagesPerSecond, Elapsed = Elapsed, Remaining = Elapsed / Math.Max(1, _done) * (TotalSteps - _step),
            EpochEnded = ended, HeldOut = epoch.HeldOut,
        });
    }

    public void Dispose()
    {
        _noise?.End();
        Cpu?.Dispose();
        foreach (Tensor place in _places) place.Dispose();
        _average?.Dispose();
        _checkpoints?.Dispose();
        Random.Dispose();
    }
}
