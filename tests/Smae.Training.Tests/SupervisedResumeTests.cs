using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>Fine-tuning, probing and critic training that stopped anywhere go on as if they had not, best weights included.</summary>
[TestClass]
public sealed class SupervisedResumeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("smae-resume-").FullName;
    private readonly List<string> _log = [];
    private readonly LabelledImages _training = EasyImages.Shuffled(EasyImages.Create(17), 3, seed: 4);
    private readonly LabelledImages _validation = EasyImages.Shuffled(EasyImages.Create(12, seed: 2), 3, seed: 5);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private CheckpointOptions EveryStep => new() { Directory = _folder, Interval = TimeSpan.Zero, Keep = 100 };

    [TestMethod]
    public void FineTuningGoesOnBitForBit() => AnyStop(checkpoints =>
    {
        var options = new FineTuneOptions
        {
            Architecture = TinyModels.Encoder with { Dropout = 0.1 }, Epochs = 5, BatchSize = 8, LearningRate = 5e-3, Seed = 1, DropPath = 0.1,
            LayerDecay = 0.8,
            Mixing = new MixupOrCutmix(), LabelSmoothing = 0.1, AccumulationSteps = 2, ClipGradientNorm = 1, WeightAverageDecay = 0.7,
            Augmentation = Augmentation.RandomErasing(0.5), Checkpoints = checkpoints,
        };
        SupervisedResult<ImageClassifier> result = FineTuning.Run(_training, _validation, options, log: _log.Add);
        using ImageClassifier classifier = result.Model;
        return (result.History, result.Best, TensorHash.Of(classifier.Model.Weights));
    });

    [TestMethod]
    public void EarlyStoppingStopsInTheSameEpoch() => AnyStop(checkpoints =>
    {
        var options = new FineTuneOptions
        {
            Architecture = TinyModels.Encoder, Epochs = 30, BatchSize = 8, LearningRate = 1e-2, Seed = 1, Patience = 2, Checkpoints = checkpoints,
        };
        SupervisedResult<ImageClassifier> result = FineTuning.Run(_training, _validation, options, log: _log.Add);
        using ImageClassifier classifier = result.Model;
        Assert.IsLessThan(30, result.History.Count);
        return (result.History, result.Best, TensorHash.Of(classifier.Model.Weights));
    });

    [TestMethod]
    public void AnEpochCancelledInItsValidationHasASpeed()
    {
        using var cancellation = new CancellationTokenSource();
        var options = new FineTuneOptions { Architecture = TinyModels.Encoder, Epochs = 3, BatchSize = 8, Seed = 1, Checkpoints = EveryStep };
        FineTuneOptions stopping = options with
        {
            CancellationToken = cancellation.Token, Progress = new Reporter(p => { if (p.Epoch == 2 && p.EpochEnded) cancellation.Cancel(); }),
        };
        Assert.Throws<OperationCanceledException>(() => FineTuning.Run(_training, _validation, stopping));
        SupervisedResult<ImageClassifier> result = FineTuning.Run(_training, _validation, options, log: _log.Add);
        result.Model.Dispose();
        Assert.IsTrue(_log.Exists(line => line.Contains("after step 4.")), string.Join('\n', _log));
        Assert.IsTrue(result.History.All(epoch => epoch.ImagesPerSecond > 0 && double.IsFinite(epoch.ImagesPerSecond)));
    }

    [TestMethod]
    public void TheSpeedIsThatOfTheStepsSinceTheRunWentOn()
    {
        var options = new FineTuneOptions { Architecture = TinyModels.Encoder, Epochs = 5, BatchSize = 8, Seed = 1, Checkpoints = EveryStep };
        double Images()
        {
            SupervisedResult<ImageClassifier> result = FineTuning.Run(_training, null, options);
            result.Model.Dispose();
            return result.ImagesPerSecond * result.Elapsed.TotalSeconds;
        }
        Assert.AreEqual(10 * 8, Images(), 1e-6);
        foreach (string file in Directory.GetFiles(_folder).Order(StringComparer.Ordinal).Skip(7)) File.Delete(file);
        Assert.AreEqual(3 * 8, Images(), 1e-6);
        Assert.AreEqual(0, Images());
    }

    [TestMethod]
    [DataRow(ProbeOptimizer.Adam)]
    [DataRow(ProbeOptimizer.Lars)]
    public void ProbingGoesOnBitForBit(ProbeOptimizer optimizer)
    {
        using ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder, seed: 2);
        AnyStop(checkpoints =>
        {
            var options = new LinearProbeOptions
            {
                Epochs = 4, BatchSize = 8, LearningRate = 0.1, Seed = 1, BatchNorm = true, Optimizer = optimizer, Checkpoints = checkpoints,
            };
            SupervisedResult<nn.Module<Tensor, Tensor>> result = LinearProbe.Run(encoder, _training, _validation, options, _log.Add);
            using nn.Module head = result.Model;
            return (result.History, result.Best, TensorHash.Of(head.state_dict().Select(s => (s.Key, s.Value))));
        });
    }

    [TestMethod]
    public void AnotherEncoderIsAnotherRun()
    {
        using ImageEncoder first = ImageEncoder.Create(TinyModels.Encoder, seed: 2), second = ImageEncoder.Create(TinyModels.Encoder, seed: 3);
        foreach (ImageEncoder encoder in (ImageEncoder[])[first, second])
        {
            LinearProbe.Run(
                encoder, _training, null, new LinearProbeOptions { Epochs = 1, Seed = 1, Checkpoints = EveryStep }, _log.Add).Model.Dispose();
            FineTuning.Run(
                _training, null, new FineTuneOptions { Encoder = encoder, Epochs = 1, Seed = 1, Checkpoints = EveryStep },
                log: _log.Add).Model.Dispose();
        }
        Assert.IsFalse(_log.Any(l => l.StartsWith("Going on", StringComparison.Ordinal)), string.Join('\n', _log));
    }

    [TestMethod]
    public void CancelledWithinAValidationTheRunGoesOnWithIt()
    {
        var options = new SupervisedOptions { Epochs = 3, BatchSize = 8, LearningRate = 1e-2, Seed = 1 };
        (double[] losses, string weights) = Colors(options, _ => { });
        using var cancellation = new CancellationTokenSource();
        SupervisedOptions stopping = options with
        {
            Checkpoints = new CheckpointOptions { Directory = _folder }, CancellationToken = cancellation.Token,
        };
        int looks = 0;
        Assert.ThrowsExactly<OperationCanceledException>(
            () => Colors(stopping, training => { if (!training && ++looks == 3) cancellation.Cancel(); }));
        (double[] resumedLosses, string resumedWeights) = Colors(stopping with { CancellationToken = default }, _ => { });
        Assert.IsTrue(_log.Any(l => l.Contains("after step 4.")), string.Join('\n', _log));   // the end of epoch 2, of 2 steps each
        CollectionAssert.AreEqual(losses, resumedLosses);
        Assert.AreEqual(weights, resumedWeights);
    }

    private (double[], string) Colors(SupervisedOptions options, Action<bool> called)
    {
        using var model = new ColorModel(called);
        SupervisedResult<nn.Module<Tensor, Tensor>> result =
            SupervisedTraining.Run(model, new ImagePreprocessing { Height = 16, Width = 16 }, _training, _validation, options, log: _log.Add);
        double[] numbers = [.. result.History.SelectMany(e => (double[])[e.Loss, e.LearningRate, e.Validation!.Loss])];
        return (numbers, TensorHash.Of(model.state_dict().Select(s => (s.Key, s.Value))));
    }

    /// <summary>Runs once without checkpoints, once with one after every step; then goes on from some of them.</summary>
    private void AnyStop(Func<CheckpointOptions?, (IReadOnlyList<EpochSummary> History, EpochSummary? Best, string Weights)> run)
    {
        (IReadOnlyList<EpochSummary> history, EpochSummary? best, string weights) = run(null);
        Assert.IsLessThan(history.Count, best!.Epoch, "the best epoch was meant to be another than the last");
        run(EveryStep);
        string[] files = [.. Directory.GetFiles(_folder).Order(StringComparer.Ordinal)];
        Assert.HasCount(2 * history.Count, files);
        foreach (int keep in (int[])[files.Length, files.Length - 1, 2 * best.Epoch, best.Epoch, 1])   // all: the run is over and is not run again
        {
            foreach (string file in Directory.GetFiles(_folder).Order(StringComparer.Ordinal).Skip(keep)) File.Delete(file);
            _log.Clear();
            (IReadOnlyList<EpochSummary> resumed, EpochSummary? resumedBest, string resumedWeights) = run(EveryStep);
            Assert.IsTrue(_log.Any(l => l.EndsWith($"after step {keep}.", StringComparison.Ordinal)), string.Join('\n', _log));
            CollectionAssert.AreEqual(history.Select(Numbers).ToArray(), resumed.Select(Numbers).ToArray());
            Assert.AreEqual(best.Epoch, resumedBest!.Epoch);
            Assert.AreEqual(weights, resumedWeights, $"after step {keep}");
        }

        static (int, double, double, Evaluation?) Numbers(EpochSummary e) => (e.Epoch, e.Loss, e.LearningRate, e.Validation);
    }

    /// <summary>Looks at mean colours; tells of each call.</summary>
    private sealed class ColorModel : nn.Module<Tensor, Tensor>
    {
        private readonly Action<bool> _called;
        private readonly TorchSharp.Modules.Parameter _weight = new(zeros(3, 3));

        public ColorModel(Action<bool> called) : base(nameof(ColorModel))
        {
            _called = called;
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            _called(training);
            return input.mean([2, 3]).matmul(_weight);
        }
    }

    private sealed class Reporter(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
