using Smae.Tests;
using TorchSharp;

namespace Smae.Training.Tests;

/// <summary>Ranks that have images of their own each, a shard.</summary>
[TestClass]
public sealed class ShardsTests : IDisposable
{
    private static readonly string[] s_shared = ["a", "a", "b"];   // hosts of three ranks
    private readonly string _folder = Directory.CreateTempSubdirectory("smae-shards-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Three ranks, of which two share a shard: each batch has all images, as one process's, in another order.</summary>
    [TestMethod]
    public void RanksWithShardsFineTuneValidateAndProbeAsOneProcessWithAllImages()
    {
        LabelledImages training = EasyImages.Create(24), validation = EasyImages.Create(13, seed: 2);
        using ImageStore store = training.Images, other = validation.Images;
        LabelledImages[] shards = [Some(training, 0, 16), Some(training, 16, 24)], looked = [Some(validation, 0, 6), Some(validation, 6, 13)];
        using ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder);
        var tuning = new FineTuneOptions { Architecture = TinyModels.Encoder, Epochs = 3, BatchSize = 24, Seed = 3, LabelSmoothing = 0.1 };
        var probing = new LinearProbeOptions { Epochs = 3, BatchSize = 24, Seed = 3 };
        SupervisedResult<ImageClassifier> Tune(LabelledImages some, LabelledImages look, DataParallel? ranks) =>
            FineTuning.Run(some, look, tuning with { Distributed = ranks });
        SupervisedResult<torch.nn.Module<torch.Tensor, torch.Tensor>> Probe(LabelledImages some, LabelledImages look, DataParallel? ranks) =>
            LinearProbe.Run(encoder, some, look, probing with { Distributed = ranks });

        using ImageClassifier alone = Check(Tune), unused = alone;
        Check(Probe).Dispose();

        T Check<T>(Func<LabelledImages, LabelledImages, DataParallel?, SupervisedResult<T>> train) where T : IDisposable
        {
            SupervisedResult<T> one = train(training, validation, null);
            foreach (SupervisedResult<T> rank in ThreadRanks.Run(3, r => train(shards[r.Rank / 2], looked[r.Rank / 2], r with { Sharded = true }), s_shared))
            {
                foreach ((EpochSummary expected, EpochSummary actual) in one.History.Zip(rank.History))
                {
                    Assert.AreEqual(expected.Loss, actual.Loss, 1e-5 * expected.Loss);
                    Assert.AreEqual(expected.Validation!.Loss, actual.Validation!.Loss, 1e-5 * expected.Validation.Loss);
                    Assert.AreEqual((13, expected.Validation.Top1), (actual.Validation.Count, actual.Validation.Top1));
                }
                rank.Model.Dispose();
            }
            return one.Model;
        }
    }

    [TestMethod]
    public void AnEpochTakesNoImageTwiceAndLeavesOthersOutEachTime()
    {
        int[] counts = [11, 11, 8];
        long[][][] epochs = ThreadRanks.Run(3, r =>
        {
            Ranks ranks = DataParallel.Connect(r with { Sharded = true });
            ranks.FindShards(() => $"{counts[r.Rank]}");
            var images = new EpochImages(counts[r.Rank], new LinearProbeOptions { BatchSize = 6, AccumulationSteps = 2 }, ranks);
            Assert.AreEqual((19L, 6, 2L), (images.Count, images.BatchSize, images.StepCount));
            Assert.AreEqual("19 images in 2 shards (11, 8), of which each epoch leaves out 7", $"{images}");
            using var random = new RandomStream(1);
            return new[] { images.Order(0, random), images.Order(1, random), images.Order(0, random) };
        }, s_shared);
        for (int place = 0; place < 12; place++)
            Assert.AreEqual(1, epochs.Count(rank => rank[0][place] >= 0), "each place of a batch is one rank's");
        foreach (int epoch in (int[])[0, 1])
            foreach (IEnumerable<long[]> shard in (IEnumerable<long[]>[])[[epochs[0][epoch], epochs[1][epoch]], [epochs[2][epoch]]])
            {
                long[] taken = [.. shard.SelectMany(rank => rank).Where(image => image >= 0)];
                Assert.HasCount(shard.Count() * 4, taken.Distinct().ToArray());
                Assert.HasCount(shard.Count() * 4, taken);
            }
        CollectionAssert.AreNotEquivalent(epochs[2][0], epochs[2][1]);
        CollectionAssert.AreEqual(epochs[2][0], epochs[2][2]);
    }

    [TestMethod]
    public void ImagesHeldOutAreMeasuredTogetherAndEveryRankHasTheSameModel()
    {
        using ImageStore first = TinyModels.Images(17), second = TinyModels.Images(9, seed: 2);
        MaePretrainOptions options = TinyModels.Options with
        {
            Epochs = 2, BatchSize = 6, HeldOutImages = 5, AccumulationSteps = 2, Augmentation = Augmentation.HorizontalFlip(),
        };
        List<string> log = [];
        MaePretrainResult[] ranks = ThreadRanks.Run(
            3, r => MaePretraining.Run(r.Rank < 2 ? first : second, options with { Distributed = r with { Sharded = true } }, log: log.Add), s_shared);
        Assert.HasCount(1, log.Where(line => line.Contains("21 images in 2 shards (15, 6), of which each epoch leaves out 3, 5 more held out")));
        // The same ones, of both shards, put together and measured by one process.
        using var both = new ImageStore(16, 16);
        foreach ((ImageStore images, int count, int shard) in (IEnumerable<(ImageStore, int, int)>)[(first, 2, 0), (second, 3, 1)])
        {
            using var random = new RandomStream(options.Seed ?? 0);
            using torch.Tensor order = torch.randperm(images.Count, torch.ScalarType.Int64, generator: random.At(RandomUse.HeldOut, 0));
            foreach (long image in order.data<long>().ToArray().Take(count).Order()) both.Add(images[image]);
        }
        LabelFreeEvaluation expected = MaePretraining.Evaluate(ranks[0].Model, both, options);
        foreach (MaePretrainResult rank in ranks)
        {
            LabelFreeEvaluation actual = rank.History[^1].HeldOut!;
            Assert.AreEqual((expected.Count, expected.OwnCrop), (actual.Count, actual.OwnCrop));
            Assert.AreEqual(expected.RankMe, actual.RankMe, 1e-4);
            Assert.AreEqual(expected.Reconstruction!.Value, actual.Reconstruction!.Value, 1e-5);
            Assert.AreEqual(TensorHash.Of(ModelWeights.Of(ranks[0].Model)), TensorHash.Of(ModelWeights.Of(rank.Model)));
        }
        foreach (MaePretrainResult rank in ranks) rank.Model.Dispose();
    }

    [TestMethod]
    public void ClassesAreThoseOfAllShards()
    {
        LabelledImages all = EasyImages.Create(18);
        using ImageStore store = all.Images;
        var options = new FineTuneOptions
        {
            Architecture = TinyModels.Encoder, Epochs = 2, BatchSize = 6, Seed = 3, Mixing = new MixupOrCutmix(), ClassNames = ["red", "green", "blue"],
        };
        LabelledImages OfClasses(params int[] classes) =>
            Pick(all, [.. Enumerable.Range(0, 18).Select(i => (long)i).Where(i => classes.Contains(all[i]))]);
        LabelledImages[] shards = [OfClasses(0), OfClasses(1, 2)];
        SupervisedResult<ImageClassifier> Tune(DataParallel ranks) =>
            FineTuning.Run(shards[ranks.Rank], null, options with { Distributed = ranks with { Sharded = true } });
        foreach (SupervisedResult<ImageClassifier> rank in ThreadRanks.Run(2, Tune))
        {
            Assert.AreEqual(3, rank.Model.Classes);
            rank.Model.Dispose();
        }
        shards[1] = OfClasses(2);
        foreach (Exception? failure in ThreadRanks.Failures(2, ranks => Tune(ranks)))
            StringAssert.Contains(failure!.Message, "1 of 3 classes have no image to train on: 1 ('green')");
    }

    [TestMethod]
    public void ARunWithShardsGoesOnWithTheSameRanksAndPassesOverOthers()
    {
        using ImageStore first = TinyModels.Images(12), second = TinyModels.Images(12, seed: 2), third = TinyModels.Images(12, seed: 3);
        MaePretrainOptions options = TinyModels.Options with
        {
            Epochs = 4, BatchSize = 6, Seed = 5, Checkpoints = new CheckpointOptions { Directory = Path.Combine(_folder, "run") },
        };
        double Loss(DataParallel ranks, MaePretrainOptions options, Action<string>? log = null)
        {
            ImageStore own = ((ImageStore[])[first, second, third])[ranks.Rank];
            MaePretrainResult result = MaePretraining.Run(own, options with { Distributed = ranks with { Sharded = true } }, log: log);
            result.Model.Dispose();
            return result.LastLoss;
        }
        double whole = ThreadRanks.Run(2, ranks => Loss(ranks, options with { Checkpoints = null }))[0];
        using var stop = new CancellationTokenSource();
        var progress = new Reporter(at => { if (at.Step >= 5) stop.Cancel(); });
        foreach (Exception? failure in ThreadRanks.Failures(2, ranks => Loss(ranks, options with { CancellationToken = stop.Token, Progress = progress })))
            Assert.IsInstanceOfType<OperationCanceledException>(failure);

        List<string> log = [];
        ThreadRanks.Run(3, ranks => Loss(ranks, options with { Epochs = 4 }, log.Add));
        StringAssert.Contains(string.Join('\n', log), "Images shards of 2 ranks, ");
        Assert.IsFalse(log.Any(line => line.StartsWith("Going on from", StringComparison.Ordinal)), string.Join('\n', log));
        log.Clear();
        Assert.AreEqual(whole, ThreadRanks.Run(2, ranks => Loss(ranks, options, log.Add))[1]);
        Assert.HasCount(1, log.Where(line => line.StartsWith("Going on from", StringComparison.Ordinal)));
    }

    [TestMethod]
    public void WhatShardsCannotDoIsRefusedWithWhatDiffers()
    {
        LabelledImages images = EasyImages.Create(9);
        using ImageStore store = images.Images;
        using ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder);
        void Refused(string expected, Action<DataParallel> train)
        {
            foreach (Exception? failure in ThreadRanks.Failures(2, ranks => train(ranks with { Sharded = true }))) StringAssert.Contains(failure!.Message, expected);
        }
        Refused("BatchNorm", ranks => LinearProbe.Run(encoder, images, null, new LinearProbeOptions { BatchNorm = true, Distributed = ranks }));
        Refused("ValidationImages is none on rank 0", ranks => FineTuning.Run(
            images, ranks.IsFirst ? null : images, new FineTuneOptions { Architecture = TinyModels.Encoder, Epochs = 1, Distributed = ranks }));
        Refused("HeldOutImages is 18, 9 of each shard, and there are 9 images", ranks =>
            MaePretraining.Run(store, TinyModels.Options with { HeldOutImages = 18, Distributed = ranks }));
    }

    private static LabelledImages Some(LabelledImages all, int from, int to) => Pick(all, [.. Enumerable.Range(from, to - from).Select(i => (long)i)]);

    private static LabelledImages Pick(LabelledImages all, long[] picked)
    {
        var store = new ImageStore(all.Images.Height, all.Images.Width);
        foreach (long i in picked) store.Add(all.Images[i]);
        return new LabelledImages(store, [.. picked.Select(i => all[i])]);
    }

    private sealed class Reporter(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
