using Smae.Tests;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>Several ranks compute what one process computes. Here they are threads; <c>tests/Ranks.Tests</c> has processes and MPI.</summary>
[TestClass]
public sealed class RanksTests : IDisposable
{
    private const double Rounding = 1e-5;
    private readonly string _folder = Directory.CreateTempSubdirectory("smae-ranks-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    [DynamicData(nameof(EveryMethod.Rows), typeof(EveryMethod))]
    public void ThreeRanksPretrainAsOneDoes(string method)
    {
        using ImageStore images = TinyModels.Images(23);
        MaePretrainOptions options = EveryMethod.Options(method, Noisy, _folder);
        if (method is "DINO" or "iBOT") options = options with { Augmentation = null };   // they have their own
        (double[] Losses, float[] Weights) alone = Pretrain(images, options);
        foreach ((double[] Losses, float[] Weights) rank in ThreadRanks.Run(3, ranks => Pretrain(images, options with { Distributed = ranks }))) AreAlike(alone, rank);
    }

    [TestMethod]
    [DataRow(2, 1)]
    [DataRow(4, 2)]
    public void AnyNumberOfRanksAccumulatesClipsAveragesAndHoldsOutAsOneDoes(int count, int accumulation)
    {
        using ImageStore images = TinyModels.Images(26);
        MaePretrainOptions options = Noisy with { AccumulationSteps = accumulation, ClipGradientNorm = 0.1, WeightAverageDecay = 0.9, HeldOutImages = 3, BatchSize = 11 };
        (double[] Losses, float[] Weights) alone = Pretrain(images, options);
        foreach ((double[] Losses, float[] Weights) rank in ThreadRanks.Run(count, ranks => Pretrain(images, options with { Distributed = ranks })))
            AreAlike(alone, rank);
    }

    [TestMethod]
    public void GradientsInBFloat16TrainNearlyTheSameAndTheSameOnAllRanks()
    {
        using ImageStore images = TinyModels.Images(23);
        (double[] Losses, float[] Weights) alone = Pretrain(images, Noisy);
        (double[] Losses, float[] Weights)[] ranks = ThreadRanks.Run(3, of => Pretrain(images, Noisy with { Distributed = of with { Precision = Precision.BFloat16 } }));
        Assert.AreEqual(alone.Losses[1], ranks[0].Losses[1], 0.01 * alone.Losses[1]);
        Assert.AreNotEqual(alone.Losses[1], ranks[0].Losses[1], 1e-9);
        foreach ((_, float[] weights) in ranks) CollectionAssert.AreEqual(ranks[0].Weights, weights);
    }

    [TestMethod]
    public void RanksFineTuneWithMixedImagesAndValidateAsOneDoes()
    {
        LabelledImages images = EasyImages.Create(23), validation = EasyImages.Create(13, seed: 2);
        using ImageStore store = images.Images, other = validation.Images;
        var options = new FineTuneOptions
        {
            Architecture = TinyModels.Encoder with { Dropout = 0.1 }, DropPath = 0.2, Epochs = 2, BatchSize = 8, Seed = 3, LabelSmoothing = 0.1,
            Mixing = new MixupOrCutmix(),
            Augmentation = Augmentation.HorizontalFlip().Then(Augmentation.RandomErasing(0.5)),
        };
        SameSupervised(distributed => FineTuning.Run(images, validation, options with { Distributed = distributed }), c => c.Model);
    }

    [TestMethod]
    [DataRow(false, false)]
    [DataRow(true, false)]
    [DataRow(false, true)]
    [DataRow(true, true)]
    public void RanksProbeAsOneDoes(bool batchNorm, bool augmented)
    {
        LabelledImages images = EasyImages.Create(23), validation = EasyImages.Create(13, seed: 2);
        using ImageStore store = images.Images, other = validation.Images;
        using ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder);
        var options = new LinearProbeOptions
        {
            Epochs = 3, BatchSize = 8, Seed = 3, BatchNorm = batchNorm, Optimizer = batchNorm ? ProbeOptimizer.Lars : ProbeOptimizer.Adam,
            Augmentation = augmented ? Augmentation.HorizontalFlip() : null,
        };
        SameSupervised(distributed => LinearProbe.Run(encoder, images, validation, options with { Distributed = distributed }), m => m);
    }

    [TestMethod]
    public void RanksTrainTheCriticAsOneDoes()
    {
        LabelledImages images = EasyImages.Create(17, side: 24);
        using ImageStore store = images.Images;
        var options = new SupervisedOptions { Epochs = 2, BatchSize = 8, Seed = 3, LearningRate = 1e-4 };
        SameSupervised(distributed => CriticTraining.Run(images, null, options with { Distributed = distributed }), m => m);
    }

    [TestMethod]
    public void WhatFailsOnOneRankEndsAllWithItsRankHostAndCause()
    {
        using ImageStore images = TinyModels.Images(23);
        Exception?[] failures = ThreadRanks.Failures(3, ranks => Pretrain(images, Noisy with
        {
            Distributed = ranks, Augmentation = ranks.Rank == 1 ? new Failing() : null,
        }));
        // They disagree on the augmentation, which is found first.
        foreach (Exception? failure in failures) StringAssert.Contains(failure!.Message, "rank 1 (host-1)");

        failures = ThreadRanks.Failures(3, ranks => Pretrain(images, Noisy with { Distributed = ranks, Objective = new FailingObjective { Rank = ranks.Rank } }));
        Assert.AreEqual("the disk is gone", failures[1]!.Message);
        foreach (int other in (int[])[0, 2])
        {
            Assert.IsInstanceOfType<RankFailedException>(failures[other]);
            StringAssert.Contains(failures[other]!.Message, "rank 1 (host-1) of 3 failed: IOException: the disk is gone");
        }
    }

    [TestMethod]
    public void RanksThatDisagreeAreRefusedWithWhatDiffers()
    {
        using ImageStore images = TinyModels.Images(23), others = TinyModels.Images(23, seed: 2);
        void Refused(string expected, Func<DataParallel, (ImageStore, MaePretrainOptions)> of)
        {
            foreach (Exception? failure in ThreadRanks.Failures(2, ranks =>
            {
                (ImageStore store, MaePretrainOptions options) = of(ranks);
                Pretrain(store, options with { Distributed = ranks });
            }))
            {
                Assert.IsInstanceOfType<ArgumentException>(failure);
                StringAssert.Contains(failure.Message, expected);
            }
        }
        Refused("LearningRate is 0.001 on rank 0 (host-0) and 0.002 on rank 1 (host-1)", ranks => (images, Noisy with { LearningRate = ranks.IsFirst ? 1e-3 : 2e-3 }));
        Refused(" Where each machine has images of its own, DataParallel.Sharded says so.", ranks => (ranks.IsFirst ? images : others, Noisy));
        Refused("Images is 23 images, ", ranks => (ranks.IsFirst ? images : others, Noisy));
        Refused("has 1 at a time for 2 ranks", ranks => (images, Noisy with { AccumulationSteps = 10 }));
    }

    [TestMethod]
    public void ARunCancelledOnOneRankStopsAllAndGoesOnWithAnotherNumber()
    {
        using ImageStore images = TinyModels.Images(23);
        MaePretrainOptions options = Noisy with { Checkpoints = new CheckpointOptions { Directory = Path.Combine(_folder, "run") } };
        (double[] Losses, float[] Weights) alone = Pretrain(images, options with { Checkpoints = null });
        using var source = new CancellationTokenSource();
        foreach (Exception? failure in ThreadRanks.Failures(3, ranks => Pretrain(images, options with
        {
            Distributed = ranks, CancellationToken = ranks.Rank == 1 ? source.Token : default,
            Progress = ranks.IsFirst ? new Reporter(_ => source.Cancel()) : null,
        }))) Assert.IsInstanceOfType<OperationCanceledException>(failure);
        Assert.HasCount(1, Directory.GetFiles(Path.Combine(_folder, "run"), "*.safetensors"));
        List<string> log = [];
        foreach ((double[] Losses, float[] Weights) rank in ThreadRanks.Run(2, ranks => Pretrain(images, options with { Distributed = ranks }, log.Add)))
            AreAlike(alone, rank);
        Assert.HasCount(1, log.Where(line => line.Contains("Going on from")));
    }

    [TestMethod]
    public void ALossThatIsNotFiniteGoesBackOnAllRanks()
    {
        using ImageStore images = TinyModels.Images(23);
        MaePretrainOptions options = Noisy with { RecoverFromNonFiniteLoss = 1, Checkpoints = new CheckpointOptions { Directory = Path.Combine(_folder, "run") } };
        (double[] Losses, float[] Weights)[] ranks = ThreadRanks.Run(2, of =>
            Pretrain(images, options with { Distributed = of, Objective = new FailingObjective { Rank = of.Rank, IsInfinite = true } }));
        Assert.IsTrue(double.IsFinite(ranks[0].Losses[1]));
        CollectionAssert.AreEqual(ranks[0].Weights, ranks[1].Weights);
    }

    [TestMethod]
    public void WhoWaitsInVainSaysForWhat()
    {
        Exception?[] failures = ThreadRanks.Failures(2, ranks =>
        {
            if (ranks.IsFirst) DataParallel.Connect(ranks with { Timeout = TimeSpan.FromMilliseconds(50) }).Any(true, "the next step");
        });
        Assert.AreEqual("Rank 0 waited for the next step.", failures[0]!.Message);
    }

    private static MaePretrainOptions Noisy { get; } = TinyModels.Options with
    {
        Encoder = TinyModels.Encoder with { Dropout = 0.1 }, DropPath = 0.2, BatchSize = 10, Augmentation = Augmentation.HorizontalFlip()
            .Then(Augmentation.RandomApply(Augmentation.ColorJitter(0.4, 0.4, 0.2, 0.1), 0.8)).Then(Augmentation.RandAugment()).Then(Augmentation.RandomErasing(0.5)),
    };

    private static (double[] Losses, float[] Weights) Pretrain(ImageStore images, MaePretrainOptions options, Action<string>? log = null)
    {
        MaePretrainResult result = MaePretraining.Run(images, options, log: log);
        using MaskedAutoencoder model = result.Model;
        return ([.. result.History.Select(e => e.Loss), .. result.History.SelectMany(e => Figures(e.HeldOut))], Weights(model));
    }

    private static double[] Figures(LabelFreeEvaluation? of) => of is null ? [] :
        [of.Count, of.RankMe, of.OwnCrop, of.Reconstruction ?? 0, of.RandomWeights!.RankMe, of.RandomWeights.Reconstruction ?? 0];

    private static void SameSupervised<T>(Func<DataParallel?, SupervisedResult<T>> train, Func<T, nn.Module> module) where T : IDisposable
    {
        (double[], float[]) Numbers(DataParallel? distributed)
        {
            SupervisedResult<T> result = train(distributed);
            using T model = result.Model;
            return ([.. result.History.Select(e => e.Loss), .. result.History.Select(e => e.Validation?.Loss ?? 0)], Weights(module(model)));
        }
        (double[], float[]) alone = Numbers(null);
        foreach ((double[], float[]) rank in ThreadRanks.Run(3, Numbers)) AreAlike(alone, rank);
    }

    private static float[] Weights(nn.Module model)
    {
        using DisposeScope scope = NewDisposeScope();
        return
        [
            .. model.state_dict().OrderBy(s => s.Key, StringComparer.Ordinal)
                .SelectMany(s => s.Value.detach().to_type(ScalarType.Float32).contiguous().data<float>().ToArray()),
        ];
    }

    private static void AreAlike((double[] Losses, float[] Weights) expected, (double[] Losses, float[] Weights) actual)
    {
        foreach ((double one, double other) in expected.Losses.Zip(actual.Losses)) Assert.AreEqual(one, other, Rounding * Math.Abs(one) + 1e-12);
        Assert.HasCount(expected.Weights.Length, actual.Weights);
        // Adam divides by the root of what may be rounding alone: a weight whose gradient is zero but for that moves by up to the learning rate.
        double difference = expected.Weights.Zip(actual.Weights, (a, b) => (double)(a - b) * (a - b)).Sum(), size = expected.Weights.Sum(w => (double)w * w);
        Assert.IsLessThan(1e-3, Math.Sqrt(difference / size));
    }

    private sealed record Failing : Augmentation
    {
        private protected override Tensor Transform(Tensor images, RandomSequence[] random) => images;
    }

    /// <summary>Pixels, until it fails on one rank in the second step; once, where it is infinite.</summary>
    private sealed record FailingObjective : Objective
    {
        public int Rank { get; init; }

        public bool IsInfinite { get; init; }

        protected internal override string Identity => "failing";

        public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) => new Run(this, Pixel().Begin(model, options, device));

        public override string ToString() => "failing";

        private sealed class Run(FailingObjective objective, ObjectiveRun inner) : ObjectiveRun
        {
            private bool _hasFailed;

            public override bool IsMeanOverParts => true;

            public override Tensor Loss(PretrainBatch batch)
            {
                if (objective.Rank != 1 || batch.Position.Step != 1 || _hasFailed) return inner.Loss(batch);
                _hasFailed = true;
                return objective.IsInfinite ? inner.Loss(batch).Times(double.PositiveInfinity) : throw new IOException("the disk is gone");
            }

            public override void Dispose()
            {
                inner.Dispose();
                base.Dispose();
            }
        }
    }

    private sealed class Reporter(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
