using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>A run that goes on from a checkpoint otherwise than before: with more epochs, another rate, other images, or after a loss that was not finite.</summary>
[TestClass]
public sealed class ContinueTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("smae-continue-").FullName;
    private readonly List<string> _log = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // 41 images in batches of 8: epochs of 5 steps.
    private MaePretrainOptions Options => TinyModels.Options with
    {
        Epochs = 3, Checkpoints = new CheckpointOptions { Directory = _folder, Interval = TimeSpan.Zero, Keep = 100 },
    };

    private MaePretrainOptions FromHere(MaePretrainOptions options) => options with { Checkpoints = options.Checkpoints! with { ContinueFrom = _folder } };

    [TestMethod]
    public void MoreEpochsGoOnAlongTheCosineOfAllOfThem()
    {
        using ImageStore images = TinyModels.Images(41);
        MaePretrainOptions options = Options with { Epochs = 2 };
        (double[] losses, _, _) = Run(images, options);
        var reports = new List<TrainingProgress>();
        MaePretrainOptions more = FromHere(options with { Epochs = 4, Progress = new Reporter(reports.Add) });
        (double[] all, _, double[] rates) = Run(images, more);
        Assert.HasCount(4, all);
        CollectionAssert.AreEqual(losses, all[..2]);
        Assert.AreEqual(11, reports[0].Step);
        CosineSchedule cosine = more.LearningRates(5);
        Assert.AreEqual(cosine.At(10), reports[0].LearningRate);
        Assert.AreEqual(cosine.At(19), rates[3]);
        Logged("Going on, otherwise, from", "Kept: weights, moments of the optimiser after 10 steps, 2 epochs done.", "Changed: Epochs 2 -> 4.", "step is 11 of 20");

        // Done: the same program again trains nothing, with the option and without.
        foreach (MaePretrainOptions again in (MaePretrainOptions[])[more, more with { Checkpoints = options.Checkpoints }])
        {
            reports.Clear();
            CollectionAssert.AreEqual(all, Run(images, again).Losses);
            Assert.IsEmpty(reports);
        }
    }

    /// <summary>In another folder and with nothing changed, the run that went on is the one that never stopped: all is kept.</summary>
    [TestMethod]
    public void WithNothingChangedItIsTheSameRun()
    {
        using ImageStore images = TinyModels.Images(41);
        MaePretrainOptions options = Options with { WeightAverageDecay = 0.8, Objective = Objective.SelfDistilledFeatures() with { Momentum = 0.5 } };
        (double[] losses, string weights, _) = Run(images, options);
        string from = At(7), other = Path.Combine(_folder, "other");
        (double[] again, string weightsAgain, _) =
            Run(images, options with { Checkpoints = new CheckpointOptions { Directory = other, ContinueFrom = from } });
        CollectionAssert.AreEqual(losses, again);
        Assert.AreEqual(weights, weightsAgain);
        Logged("average of the weights, state of the objective, 1 epochs done", "Changed: nothing.", "after step 7 of its run");
    }

    [TestMethod]
    public void ARunThatWentOnOtherwiseResumesBitForBit()
    {
        using ImageStore images = TinyModels.Images(41);
        MaePretrainOptions options = Options with { WeightAverageDecay = 0.8 };
        Run(images, options);
        KeepUpTo(7);
        MaePretrainOptions slower = FromHere(options with { LearningRate = 5e-4, Precision = Precision.BFloat16, AccumulationSteps = 2 });
        (double[] losses, string weights, _) = Run(images, slower);
        Logged("Changed: AccumulationSteps 1 -> 2; LearningRate 0.001 -> 0.0005; Precision Float32 -> BFloat16.", "after step 7 of its run");
        string[] own = [.. Files().Where(f => Step(f) > 7)];
        Assert.HasCount(8, own);
        foreach (string file in own[3..]) File.Delete(file);
        (double[] resumed, string resumedWeights, _) = Run(images, slower);
        Logged("after step 10.");
        CollectionAssert.AreEqual(losses, resumed);
        Assert.AreEqual(weights, resumedWeights);
    }

    [TestMethod]
    [DataRow("images", 7, 6)]   // of 49 images: 6 steps an epoch
    [DataRow("batch", 12, 20)]   // 2 epochs of 10 steps with 4 images
    [DataRow("seed", 7, 5)]
    public void OtherImagesBatchesOrSeedsBeginTheEpochAnew(string what, int stopped, int begins)
    {
        using ImageStore images = TinyModels.Images(41), more = TinyModels.Images(49, seed: 5);
        Run(images, Options);
        KeepUpTo(stopped);
        var reports = new List<TrainingProgress>();
        MaePretrainOptions other = FromHere(Options with { RecoverFromNonFiniteLoss = 1, Progress = new Reporter(reports.Add) });
        (double[] losses, string weights, _) = Run(what == "images" ? more : images, what switch
        {
            "batch" => other with { BatchSize = 4 }, "seed" => other with { Seed = 77 }, _ => other,
        });
        Assert.HasCount(3, losses);
        Assert.AreEqual(begins + 1, reports[0].Step);
        Logged("Begins anew: the epoch under way and the order of images.", $"moments of the optimiser after {stopped} steps, {stopped / 5} epochs done");
        RunPosition first = Position(Files().First(f => !f.StartsWith(Own(At(1)), StringComparison.Ordinal)));   // written as it went on
        Assert.AreEqual((begins, stopped), ((int)first.Step, (int)first.Updates));
    }

    /// <summary>Every tensor goes where its name says, though the optimiser now has its parameters in another order, and what is new begins as it should.</summary>
    [TestMethod]
    public void MomentsFollowTheirParameters()
    {
        LabelledImages training = EasyImages.Create(17), validation = EasyImages.Create(12, seed: 2);
        var options = new FineTuneOptions
        {
            Architecture = TinyModels.Encoder, Epochs = 3, BatchSize = 8, LearningRate = 5e-3, Seed = 1, Checkpoints = Options.Checkpoints,
        };
        FineTuning.Run(training, validation, options).Model.Dispose();
        KeepUpTo(4);
        string old = At(4);
        FineTuneOptions other = options with
        {
            LayerDecay = 0.5, WeightAverageDecay = 0.9, RecoverFromNonFiniteLoss = 1, Checkpoints = options.Checkpoints! with { ContinueFrom = old },
        };
        SupervisedResult<ImageClassifier> result = FineTuning.Run(training, validation, other, log: _log.Add);
        result.Model.Dispose();
        SafeTensorsFile before = SafeTensors.Open(old), after = SafeTensors.Open(Files().Single(f => Step(f) == 4 && f != old));
        using DisposeScope scope = NewDisposeScope();
        foreach (string name in before.Names) Assert.IsTrue(Same(before.Read(name), after.Read(name)), name);
        string[] added = [.. after.Names.Except(before.Names)];
        Assert.IsNotEmpty(added);
        foreach (string name in added) Assert.IsTrue(Same(after.Read(name), before.Read(name["average.".Length..])), name);
        Assert.IsTrue(before.Names.Any(n => n.StartsWith("optimizer.mean.", StringComparison.Ordinal)
            && n.EndsWith("blocks.0.attn.qkv.weight", StringComparison.Ordinal)));
        Assert.IsTrue(result.History.All(e => e.Validation is not null));
        Logged("Changed: LayerDecay 1 -> 0.5; WeightAverageDecay none -> 0.9.", "Begins anew: average.");

        static bool Same(Tensor a, Tensor b) => a.bytes.SequenceEqual(b.bytes);
    }

    [TestMethod]
    public void OtherValidationImagesLookForTheBestAnew()
    {
        LabelledImages training = EasyImages.Create(17), validation = EasyImages.Create(12, seed: 2), others = EasyImages.Create(12, seed: 3);
        var options = new FineTuneOptions
        {
            Architecture = TinyModels.Encoder, Epochs = 2, BatchSize = 8, LearningRate = 5e-3, Seed = 1, Checkpoints = Options.Checkpoints,
        };
        FineTuning.Run(training, validation, options).Model.Dispose();
        SupervisedResult<ImageClassifier> result = FineTuning.Run(
            training, others, options with { Epochs = 3, Checkpoints = options.Checkpoints! with { ContinueFrom = _folder } }, log: _log.Add);
        result.Model.Dispose();
        Assert.AreEqual(3, result.Best!.Epoch);
        Logged("Begins anew: the best epoch.", "ValidationImages 12 images, ");
    }

    [TestMethod]
    public void AnotherObjectiveKeepsTheModelAndBeginsItsOwn()
    {
        using ImageStore images = TinyModels.Images(41);
        Run(images, Options);
        KeepUpTo(5);
        MaePretrainOptions other = FromHere(Options with { Objective = Objective.SelfDistilledFeatures() with { Momentum = 0.5 } });
        Assert.HasCount(3, Run(images, other).Losses);
        Logged("Begins anew: decoder_pred.weight, decoder_pred.bias, objective.teacher.", "Objective PixelObjective");
    }

    [TestMethod]
    public void WhatCannotGoOnSaysWhy()
    {
        using ImageStore images = TinyModels.Images(41);
        Run(images, Options);
        string shape = Assert.Throws<ArgumentException>(
            () => Run(images, FromHere(Options with { Encoder = TinyModels.Encoder with { MlpRatio = 4 } }))).Message;
        StringAssert.Contains(shape, "mlp.fc1");
        StringAssert.Contains(shape, "another shape");
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => Run(images, FromHere(Options with { Epochs = 2 }))).Message, "3 epochs behind it");
        string nowhere = Path.Combine(_folder, "nowhere");
        MaePretrainOptions wrong = Options with { LearningRate = 5e-4, Checkpoints = Options.Checkpoints! with { ContinueFrom = nowhere } };
        StringAssert.Contains(Assert.Throws<ArgumentException>(() => Run(images, wrong)).Message, "Checkpoints.ContinueFrom is '" + nowhere);
        Directory.CreateDirectory(nowhere);
        StringAssert.Contains(Assert.Throws<FileNotFoundException>(() => Run(images, wrong)).Message, "no checkpoint to go on from");
        StringAssert.Contains(
            Assert.Throws<ArgumentException>((Options with { Checkpoints = null, RecoverFromNonFiniteLoss = 1 }).Validate).Message, "RecoverFromNonFiniteLoss");

        // The first run of all may have the option already; a damaged file is passed over for the one before it.
        Run(images, Options with { Epochs = 1, Checkpoints = new CheckpointOptions { Directory = nowhere, ContinueFrom = nowhere } });
        File.WriteAllBytes(At(15), File.ReadAllBytes(At(15))[..^8]);
        Run(images, FromHere(Options with { LearningRate = 5e-4 }));
        Logged("Checkpoint passed over: " + At(15), "after step 14 of its run");
    }

    [TestMethod]
    public void WhatIsPassedOverSaysWhatIsDifferent()
    {
        using ImageStore images = TinyModels.Images(41);
        Run(images, Options with { Epochs = 1 });
        Run(images, Options with { Epochs = 1, LearningRate = 5e-4 });
        Logged("belongs to a run with other settings or images (LearningRate 0.001 -> 0.0005). ContinueFrom goes on from it all the same.");
    }

    /// <summary>The advice of the message, followed: the last good checkpoint is there, and from it a lower rate goes on.</summary>
    [TestMethod]
    public void AfterARateThatWasTooHighALowerOneGoesOn()
    {
        using ImageStore images = TinyModels.Images(41);
        MaePretrainOptions options = Options with { Epochs = 1 };
        (double[] losses, _, _) = Run(images, options);
        MaePretrainOptions wild = FromHere(Options with { LearningRate = 1e30 });
        string message = Assert.Throws<NonFiniteLossException>(() => Run(images, wild)).Message;
        StringAssert.Contains(message, "Checkpoints.ContinueFrom");
        using DisposeScope scope = NewDisposeScope();
        foreach (SafeTensorsFile file in Files().Select(SafeTensors.Open))
            foreach (string name in file.Names) Assert.IsTrue(file.Read(name).isfinite().all().ToBoolean(), $"{name} of {file.Path}");
        string good = At(5);
        (double[] all, _, _) = Run(images, Options with { LearningRate = 5e-4, Checkpoints = Options.Checkpoints! with { ContinueFrom = good } });
        Assert.AreEqual(losses[0], all[0]);
        Assert.IsTrue(all.All(double.IsFinite));
    }

    /// <param name="plain">Without the fast path losses are read a step later, or when a step is saved.</param>
    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void ARunRecoversByItselfAndResumesAsItRecovered(bool plain)
    {
        using ImageStore images = TinyModels.Images(41);
        var reports = new List<TrainingProgress>();
        MaePretrainOptions Recovering(int failures) => Options with
        {
            RecoverFromNonFiniteLoss = 2, Progress = new Reporter(reports.Add), Plain = plain,
            Objective = new Faulty(Objective.Pixel(), Fault.Loss, step => step == 7 && failures-- > 0),
        };
        (double[] losses, string weights, _) = Run(images, Recovering(2));
        Assert.IsTrue(losses.All(double.IsFinite));
        Assert.AreEqual(Options.LearningRates(5).At(14) / 4, reports[^1].LearningRate, 1e-12);
        Logged("epoch 2, step 8", "to half the rate: 1 of 2 times", "to half the rate: 2 of 2 times", "Checkpoint removed: " + At(7));
        Assert.HasCount(2, _log.Where(l => l.StartsWith("Checkpoint removed", StringComparison.Ordinal)), "each time the checkpoint that fails goes");

        KeepUpTo(9);
        (double[] resumed, string resumedWeights, _) = Run(images, Recovering(0));
        CollectionAssert.AreEqual(losses, resumed);
        Assert.AreEqual(weights, resumedWeights);

        foreach (string file in Files()) File.Delete(file);
        Assert.Throws<NonFiniteLossException>(() => Run(images, Recovering(3)));
    }

    /// <summary>A GPU is given the next step before the loss of the last is read from it, and the error still names the step that failed.</summary>
    [TestMethod]
    [DataRow(1)]
    [DataRow(3)]
    public void ALossIsReadWhenTheNextStepHasBegun(int parts)
    {
        using ImageStore images = TinyModels.Images(41);
        int begun = 0;
        MaePretrainOptions options = Options with
        {
            Checkpoints = null, Plain = true, AccumulationSteps = parts,
            Objective = new Faulty(Objective.Pixel(), Fault.Loss, step => (begun = (int)step) == 7),
        };
        var e = Assert.Throws<NonFiniteLossException>(() => Run(images, options));
        Assert.AreEqual((2, 8L), (e.Epoch, e.Step));
        Assert.AreEqual(8, begun, "counted from 0");
    }

    /// <summary>A step with a good loss and gradients that are not: what it makes is never saved, even as the only checkpoint.</summary>
    [TestMethod]
    public void WeightsThatAreNotFiniteAreNotSaved()
    {
        using ImageStore images = TinyModels.Images(41);
        MaePretrainOptions options = Options with { Objective = new Faulty(Objective.Pixel(), Fault.Gradients, step => step == 6) };
        var e = Assert.Throws<NonFiniteLossException>(() => Run(images, options with { Checkpoints = options.Checkpoints! with { Keep = 1 } }));
        Assert.AreEqual(7, e.Step);
        Assert.AreEqual(6, Step(Files().Single()));
        int failures = 1;
        MaePretrainOptions last = Options with
        {
            RecoverFromNonFiniteLoss = 1, Objective = new Faulty(Objective.Pixel(), Fault.Gradients, step => step == 14 && failures-- > 0),
        };
        Assert.IsTrue(Run(images, last).Losses.All(double.IsFinite));   // in the last step of all
    }

    [TestMethod]
    public void FineTuningProbeAndCriticRecoverToo()
    {
        LabelledImages training = EasyImages.Create(17), larger = EasyImages.Create(17, side: 24);
        var common = new SupervisedOptions { Epochs = 2, BatchSize = 8, Seed = 1, RecoverFromNonFiniteLoss = 1, Checkpoints = Options.Checkpoints };
        int failures = 0;
        Augmentation Once() => new FailsOnce(() => failures-- > 0);
        using ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder);
        Func<IReadOnlyList<EpochSummary>>[] runs =
        [
            () => Done(FineTuning.Run(training, null, new FineTuneOptions
            {
                Architecture = TinyModels.Encoder, Epochs = 2, BatchSize = 8, Seed = 1, RecoverFromNonFiniteLoss = 1, Checkpoints = common.Checkpoints,
                Augmentation = Once(),
            }, log: _log.Add)),
            () => Done(LinearProbe.Run(encoder, training, null, new LinearProbeOptions
            {
                Epochs = 2, BatchSize = 8, Seed = 1, RecoverFromNonFiniteLoss = 1, Checkpoints = common.Checkpoints, Augmentation = Once(),
            }, _log.Add)),
            () => Done(CriticTraining.Run(larger, null, common with { Augmentation = Once() }, log: _log.Add)),
        ];
        foreach (Func<IReadOnlyList<EpochSummary>> run in runs)
        {
            foreach (string file in Files()) File.Delete(file);
            failures = 1;
            _log.Clear();
            Assert.IsTrue(run().All(e => double.IsFinite(e.Loss)));
            Logged("to half the rate: 1 of 1 times", "after step 0.");
        }

        static IReadOnlyList<EpochSummary> Done<T>(SupervisedResult<T> result) where T : IDisposable
        {
            result.Model.Dispose();
            return result.History;
        }
    }

    private (double[] Losses, string Weights, double[] Rates) Run(ImageStore images, MaePretrainOptions options)
    {
        MaePretrainResult result = MaePretraining.Run(images, options, log: _log.Add);
        using MaskedAutoencoder model = result.Model;
        return ([.. result.History.Select(e => e.Loss)], TensorHash.Of(ModelWeights.Of(model)), [.. result.History.Select(e => e.LearningRate)]);
    }

    private string[] Files() => [.. Directory.GetFiles(_folder, "checkpoint-*.safetensors").Order(StringComparer.Ordinal)];

    private string At(long step) => Path.Combine(_folder, Files().First(f => Step(f) == 1).Replace("0000000001", $"{step:D10}"));

    private static string Own(string file) => file[..^"0000000001.safetensors".Length];

    private static long Step(string file) => long.Parse(Path.GetFileNameWithoutExtension(file)[^10..]);

    private static RunPosition Position(string file) => JsonSerializer.Deserialize<RunPosition>(SafeTensors.Open(file).Metadata["position"])!;

    private void KeepUpTo(long step)
    {
        foreach (string file in Files().Where(f => Step(f) > step)) File.Delete(file);
    }

    private void Logged(params string[] parts)
    {
        foreach (string part in parts) Assert.IsTrue(_log.Any(line => line.Contains(part, StringComparison.Ordinal)), $"'{part}' is not in\n{string.Join('\n', _log)}");
    }

    private sealed class Reporter(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }

    private enum Fault { Loss, Gradients }

    /// <summary>Loses its numbers in some steps, counted from 0.</summary>
    private sealed record Faulty(Objective Inner, Fault Fault, Func<long, bool> Fails) : Objective
    {
        protected internal override string Identity => Inner.Identity;

        public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) =>
            new Run(Inner.Begin(model, options, device), model, this);

        private sealed class Run(ObjectiveRun inner, MaskedAutoencoder model, Faulty faulty) : ObjectiveRun
        {
            public override Tensor Loss(PretrainBatch batch) =>
                inner.Loss(batch) * (faulty.Fault == Fault.Loss && faulty.Fails(batch.Position.Step) ? double.NaN : 1);

            public override void GradientsReady(TrainingPosition position)
            {
                if (faulty.Fault == Fault.Gradients && faulty.Fails(position.Step)) model.parameters().First().grad!.fill_(float.PositiveInfinity);
            }

            public override void Dispose()
            {
                inner.Dispose();
                base.Dispose();
            }
        }
    }

    private sealed record FailsOnce(Func<bool> Fails) : Augmentation
    {
        private protected override Tensor Transform(Tensor images, RandomSequence[] random) => Fails() ? images * double.NaN : images;
    }
}
