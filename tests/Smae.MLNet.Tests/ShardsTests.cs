using Smae.Tests;
using Smae.Training;

namespace Smae.MLNet.Tests;

/// <summary>Ranks whose folders hold different images, a shard each.</summary>
[TestClass]
public sealed class ShardsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [TestMethod]
    public void Classes_are_those_of_all_shards_and_the_first_rank_names_what_any_could_not_read()
    {
        Write("a", 8, "disc", "square");
        Write("b", 6, "zebra", "square");
        string[] broken = [_folder.Write("none", "a", "disc", "broken a.png"), _folder.Write("none", "b", "zebra", "broken b.png")];
        (IReadOnlyList<string> Names, string[] Keys, List<string> Warnings, double Top1)[] ranks = ThreadRanks.Run(2, rank =>
        {
            var ml = new MLContext(1);
            var log = new LogRecorder(ml);
            var images = ml.Data.LoadImageFolder(_folder.At(rank.IsFirst ? "a" : "b"));
            using var model = Trainer(ml, rank with { Sharded = true }, images).Fit(images).LastTransformer;
            var scored = model.Transform(ml.Transforms.Conversion.MapValueToKey("Label").Fit(images).Transform(images));
            VBuffer<ReadOnlyMemory<char>> keys = default;
            scored.Schema["PredictedLabel"].GetKeyValues(ref keys);
            return (model.Model.ClassNames!, keys.DenseValues().Select(key => key.ToString()).ToArray(), log.Warnings, model.Training.History[^1].Validation!.Top1);
        });
        foreach (var rank in ranks)
        {
            CollectionAssert.AreEqual((string[])["disc", "square", "zebra"], rank.Names.ToArray());
            CollectionAssert.AreEqual(rank.Names.ToArray(), rank.Keys);
            Assert.AreEqual(ranks[0].Top1, rank.Top1);
        }
        string[] said = [.. ranks[0].Warnings.Where(w => w.Contains("roken"))];
        Assert.HasCount(6, said, string.Join('\n', said));   // of the training data and, the same, of the validation data
        foreach (string file in broken) Assert.HasCount(2, said.Where(w => w.Contains(file)));
        Assert.HasCount(2, said.Where(w => w.Contains("2 of 16 images are broken")));
        Assert.IsFalse(ranks[1].Warnings.Any(w => w.Contains("roken")));

        foreach (Exception? failure in ThreadRanks.Failures(2, rank =>
        {
            var ml = new MLContext(1);
            var images = ml.Data.LoadImageFolder(_folder.At(rank.IsFirst ? "a" : "b"));
            Trainer(ml, rank, images).Fit(images).LastTransformer.Dispose();
        })) StringAssert.Contains(failure!.Message, "Where each machine has images of its own, DataParallel.Sharded says so.");
    }

    [TestMethod]
    public void Ranks_of_a_host_share_its_shard_which_is_kept_for_the_next_run()
    {
        Write("a", 8, "disc");
        Write("b", 5, "disc");
        string kept = _folder.At("kept");
        (double Loss, List<string> Infos)[] Run() => ThreadRanks.Run(
            3,
            rank =>
            {
                var ml = new MLContext(1);
                var log = new LogRecorder(ml);
                using var model = ml.Transforms.MaePretrain(
                    "Embedding", "ImagePath", TestModels.Options with { BatchSize = 6, Distributed = rank with { Sharded = true } },
                    new ImageReadOptions { Cache = new ImageCacheOptions { Directory = kept } }).Fit(ml.Data.LoadImageFolder(_folder.At(rank.Rank < 2 ? "a" : "b")));
                return (model.Pretraining!.LastLoss, log.Infos);
            },
            ["one", "one", "other"]);
        var first = Run();
        Assert.HasCount(1, first[0].Infos.Where(i => i.Contains("13 images in 2 shards (8, 5), of which each epoch leaves out 1")));
        Assert.HasCount(2, Directory.GetFiles(Path.Combine(kept, Environment.MachineName), "*.images"));
        var second = Run();
        foreach (var rank in second)
        {
            Assert.AreEqual(first[0].Loss, rank.Loss);
            Assert.IsTrue(rank.Infos.Any(i => i.Contains("decoded images of an earlier run")));
        }
    }

    private EstimatorChain<ImageClassificationTransformer<ImageClassifier>> Trainer(MLContext ml, DataParallel rank, IDataView validation) =>
        ml.Transforms.Conversion.MapValueToKey("Label").Append(ml.MulticlassClassification.Trainers.VisionTransformer("Label", "ImagePath", new FineTuneOptions
        {
            Architecture = TestModels.Config, Epochs = 1, BatchSize = 6, Distributed = rank,
        }, validation));

    private void Write(string folder, int count, params string[] classes)
    {
        for (int i = 0; i < count; i++) TestImages.Write(_folder.At(folder, classes[i % classes.Length], $"{i}.png"), i);
    }
}
