namespace Smae.Training.Tests;

/// <summary>A run that is given a time ends in it, and goes on after a stop with what it decided.</summary>
[TestClass]
public sealed class TimeBudgetTests : IDisposable
{
    private static readonly TimeSpan s_budget = TimeSpan.FromSeconds(100);
    private readonly string _folder = Directory.CreateTempSubdirectory("smae-time-").FullName;
    private readonly List<string> _log = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // 96 of 100 seconds are planned for. Steps of 0.1 s, the first three of 1 s: 3 + (steps - 3) * 0.1.
    [TestMethod]
    [DataRow(10, 0, 0.0, 93)]       // 96 = 3 - 0.3 + 0.1 * 10 * epochs
    [DataRow(10, 1, 1.0, 46)]       // each epoch has a validation of 1 s
    [DataRow(10, 5, 1.0, 77)]
    [DataRow(1, 0, 0.0, 933)]
    [DataRow(10, 0, 0.0, 60, 60)]   // never more than asked for
    public void ItEndsInTime(int stepsInEpoch, int validateEvery, double validation, int expected, int most = 10_000)
    {
        (TimeSpan end, RunPlan? plan) = Simulate(stepsInEpoch, validateEvery, validation, most, validationSteps: 3);
        Assert.AreEqual(expected, plan!.Epochs, 1);
        Assert.IsTrue(plan.IsFinal);
        Assert.AreEqual(stepsInEpoch, plan.StepsPerEpoch);
        Assert.IsLessThan(100, end.TotalSeconds);
        if (most > expected) Assert.IsGreaterThan(92, end.TotalSeconds);
    }

    // Epochs that take long: 150 s, 70, 25 (of which four nearly fit) and 23.
    [TestMethod]
    [DataRow(1500, 1, 933)]
    [DataRow(700, 2, 466)]
    [DataRow(250, 4, 233)]
    [DataRow(230, 4, 230)]
    public void FewEpochsAreCutSoThatNoTimeIsWasted(int stepsInEpoch, int epochs, int steps)
    {
        (TimeSpan end, RunPlan? plan) = Simulate(stepsInEpoch, 0, 0, 100, 0);
        Assert.AreEqual(epochs, plan!.Epochs);
        Assert.AreEqual(steps, plan.StepsPerEpoch, 2.0);
        Assert.IsLessThan(100, end.TotalSeconds);
    }

    [TestMethod]
    public void AValidationNotYetSeenIsGuessedAndThenMeasured()
    {
        var plan = new TimePlan(s_budget, new RunPlan(1000, 100, true), validateEvery: 1, validationSteps: 50);
        for (int i = 0; i < 30; i++) plan.StepEnded(TimeSpan.FromSeconds(0.1 * (i + 1)));
        RunPlan guessed = plan.Revise(null, TimeSpan.FromSeconds(3), TimeSpan.Zero, 0, 30)!;
        Assert.AreEqual((6, false), (guessed.Epochs, guessed.IsFinal));   // (96 s) / (10 s + 5 s)
        for (int i = 30; i < 100; i++) plan.StepEnded(TimeSpan.FromSeconds(0.1 * (i + 1)));
        plan.Evaluated(TimeSpan.FromSeconds(20));
        RunPlan seen = plan.Revise(guessed, TimeSpan.FromSeconds(30), TimeSpan.Zero, 1, 0)!;
        Assert.AreEqual((3, true), (seen.Epochs, seen.IsFinal));          // 1 + (66 s) / (30 s)
        Assert.IsNull(plan.Revise(seen, TimeSpan.FromSeconds(60), TimeSpan.Zero, 2, 0));
        Assert.AreEqual(2, plan.Revise(guessed, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(35), 1, 0)!.Epochs, "what earlier sessions took counts");
    }

    /// <summary>A run whose steps take a known time: it ends within its budget, with the cosine and the warm-up of the epochs that it has.</summary>
    [TestMethod]
    public void ARealRunEndsInTimeWithItsScheduleAtTheEnd()
    {
        using ImageStore images = TinyModels.Images(41);
        var reports = new List<TrainingProgress>();
        var clock = new Clock();
        MaePretrainOptions options = TinyModels.Options with
        {
            Epochs = 100_000, WarmupEpochs = 20_000, TimeBudget = TimeSpan.FromSeconds(4), Clock = clock, Objective = Taking(0.04, clock),
            Progress = new Reporter(reports.Add),
        };
        MaePretrainResult result = MaePretraining.Run(images, options, log: _log.Add);
        result.Model.Dispose();
        int epochs = result.History.Count;
        Assert.AreEqual(19, epochs, string.Join('\n', _log));   // of 5 steps, 0.2 s: what goes into 96% of 4 s
        Assert.AreEqual(19 * 0.2, result.Elapsed.TotalSeconds, 1e-6);
        Assert.AreEqual((epochs, epochs * 5), (reports[^1].Epochs, (int)reports[^1].TotalSteps));
        Assert.AreEqual(options.LearningRates(5, epochs).At(epochs * 5 - 1), reports[^1].LearningRate);
        Assert.AreEqual(options.LearningRate, result.History.Max(e => e.LearningRate), 0.1 * options.LearningRate, "the warm-up shrinks with the epochs");
        Assert.IsTrue(_log.Any(l => l.StartsWith("TimeBudget 00:00:04:", StringComparison.Ordinal)), string.Join('\n', _log));
    }

    [TestMethod]
    public void AStoppedRunGoesOnWithWhatItDecided()
    {
        using ImageStore images = TinyModels.Images(41);
        var clock = new Clock();
        MaePretrainOptions options = TinyModels.Options with
        {
            Epochs = 1000, TimeBudget = TimeSpan.FromSeconds(8), Clock = clock, Objective = Taking(0.2, clock),
            Checkpoints = new CheckpointOptions { Directory = _folder, Interval = TimeSpan.Zero, Keep = 10_000 },
        };
        MaePretrainResult whole = MaePretraining.Run(images, options, log: _log.Add);
        string weights;
        using (MaskedAutoencoder model = whole.Model) weights = TensorHash.Of(ModelWeights.Of(model));
        string[] files = [.. Directory.GetFiles(_folder).Order(StringComparer.Ordinal)];
        foreach (string file in files[(files.Length / 2)..]) File.Delete(file);
        _log.Clear();
        CheckpointOptions seldom = options.Checkpoints with { Interval = TimeSpan.FromHours(1) };
        MaePretrainResult resumed = MaePretraining.Run(images, options with { Objective = Taking(0, clock), Checkpoints = seldom }, log: _log.Add);   // much faster
        using (MaskedAutoencoder model = resumed.Model) Assert.AreEqual(weights, TensorHash.Of(ModelWeights.Of(model)), string.Join('\n', _log));
        Assert.AreEqual(7, whole.History.Count);   // of 5 steps, 1 s
        Assert.AreEqual(7, resumed.History.Count);
        Assert.IsFalse(_log.Any(l => l.StartsWith("TimeBudget", StringComparison.Ordinal)), "it was decided before");

        // Another time is another run, which goes on from there if that is asked for, and decides anew.
        MaePretrainOptions more = options with { TimeBudget = TimeSpan.FromSeconds(9), Checkpoints = seldom with { ContinueFrom = _folder } };
        MaePretrainResult longer = MaePretraining.Run(images, more, log: _log.Add);
        longer.Model.Dispose();
        Assert.IsGreaterThan(whole.History.Count, longer.History.Count);
        Assert.IsTrue(_log.Any(l => l.Contains("Changed: TimeBudget 00:00:08 -> 00:00:09", StringComparison.Ordinal)), string.Join('\n', _log));
    }

    [TestMethod]
    public void FineTuningCountsItsValidationAndLooksAtTheLastEpoch()
    {
        LabelledImages training = EasyImages.Create(40), validation = EasyImages.Create(400, seed: 2);
        var options = new FineTuneOptions
        {
            Architecture = TinyModels.Encoder, Epochs = 100_000, BatchSize = 8, Seed = 1, ValidateEvery = 3, TimeBudget = TimeSpan.FromSeconds(2), KeepBest = false,
            Clock = new Clock(look: 0.01),   // steps and validations take as long as they look at it
        };
        SupervisedResult<ImageClassifier> result = FineTuning.Run(training, validation, options, log: _log.Add);
        result.Model.Dispose();
        Assert.IsTrue(result.Elapsed.TotalSeconds is > 1 and < 2, $"{result.Elapsed}\n{string.Join('\n', _log)}");
        Assert.IsNotNull(result.History[^1].Validation);
    }

    [TestMethod]
    public void ATimeThatIsNoneIsRefused() => StringAssert.Contains(
        Assert.ThrowsExactly<ArgumentException>((TinyModels.Options with { TimeBudget = TimeSpan.Zero }).Validate).Message,
        "TimeBudget is 00:00:00: expected a positive number");

    /// <summary>What the trainer does with a plan, on a clock that is not real.</summary>
    private static (TimeSpan End, RunPlan? Plan) Simulate(int stepsInEpoch, int validateEvery, double validation, int most, double validationSteps)
    {
        var time = new TimePlan(s_budget, new RunPlan(most, stepsInEpoch, true), validateEvery, validationSteps);
        RunPlan? plan = null;
        double now = 0;
        int epochs = 0, steps = 0;
        while (epochs < (plan?.Epochs ?? most))
        {
            for (int step = 1; step <= (plan?.StepsPerEpoch ?? stepsInEpoch); step++)
            {
                now += steps++ < 3 ? 1 : 0.1;
                time.StepEnded(TimeSpan.FromSeconds(now));
                plan = time.Revise(plan, TimeSpan.FromSeconds(now), TimeSpan.Zero, epochs, step) ?? plan;
            }
            epochs++;
            if (validateEvery > 0 && (epochs % validateEvery == 0 || epochs == plan?.Epochs))
            {
                now += validation;
                time.Evaluated(TimeSpan.FromSeconds(validation));
            }
            plan = time.Revise(plan, TimeSpan.FromSeconds(now), TimeSpan.Zero, epochs, 0) ?? plan;
        }
        return (TimeSpan.FromSeconds(now), plan);
    }

    /// <summary>Pixels, with steps that take a time on a clock.</summary>
    private static WatchedObjective Taking(double seconds, Clock clock) => new(Objective.Pixel(), () => clock.Advance(seconds));

    /// <summary>A clock that goes on when it is told to, and by itself only whenever it is looked at.</summary>
    private sealed class Clock(double look = 0) : TimeProvider
    {
        private double _seconds;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(double seconds) => _seconds += seconds;

        public override long GetTimestamp()
        {
            Advance(look);
            if (_seconds > 30) throw new TimeoutException("The run goes on, and its time was over long ago.");
            return TimeSpan.FromSeconds(_seconds).Ticks;
        }
    }

    private sealed class Reporter(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
