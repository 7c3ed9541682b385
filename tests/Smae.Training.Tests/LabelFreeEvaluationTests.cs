using System.Text.RegularExpressions;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>Figures that need no labels: right values, what they do as an encoder learns or collapses, and what a run does with images held out.</summary>
[TestClass]
public sealed class LabelFreeEvaluationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("smae-figures-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // torch 1.13: s = linalg.svdvals(z); p = s / s.sum() + 1e-7; exp(-(p * p.log()).sum())
    [TestMethod]
    [DataRow(6, 4, 2.654262980787611)]
    [DataRow(5, 7, 3.151953143618904)]
    public void RankMeIsThatOfItsFormula(int images, int dim, double expected)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor z = arange(images * dim, ScalarType.Float64).reshape(images, dim);
        z = (z * 0.7).sin() + 0.1 * z.remainder(3);
        Assert.AreEqual(expected, LabelFreeEvaluation.EffectiveRank(z), 1e-9);
        Assert.AreEqual(expected, LabelFreeEvaluation.EffectiveRank(100 * z.to_type(ScalarType.Float32)), 1e-4, "scale does not matter");
    }

    [TestMethod]
    public void RankMeIsOneOfAConstantAndAllOfOrthogonalEmbeddings()
    {
        using DisposeScope scope = NewDisposeScope();
        Assert.AreEqual(1, LabelFreeEvaluation.EffectiveRank(arange(8, ScalarType.Float32).expand(50, 8)), 1e-4);
        Assert.AreEqual(1, LabelFreeEvaluation.EffectiveRank(zeros(50, 8)), 1e-4);
        Assert.AreEqual(8, LabelFreeEvaluation.EffectiveRank(3 * eye(8)), 1e-4);
        Assert.AreEqual(double.NaN, LabelFreeEvaluation.EffectiveRank(full(3, 3, float.PositiveInfinity)));
        Assert.ThrowsExactly<ArgumentException>(() => LabelFreeEvaluation.EffectiveRank(ones(3)));
    }

    // torch 1.13: argmax of the cosines of cat(q, r) without the diagonal, 3 of 16.
    [TestMethod]
    public void OwnCropShareCountsNearestNeighbours()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor n = arange(24, ScalarType.Float64), q = (n * 1.3).sin().reshape(8, 3), r = q + 1.1 * (n * 2.1).cos().reshape(8, 3);
        Assert.AreEqual(0.1875, LabelFreeEvaluation.OwnCropShare(q, r));
        Assert.AreEqual(0.1875, LabelFreeEvaluation.OwnCropShare(5 * r, q), "neither order nor length matters");
        Assert.AreEqual(1, LabelFreeEvaluation.OwnCropShare(eye(1500), eye(1500)), "several blocks");
        Assert.AreEqual(0, LabelFreeEvaluation.OwnCropShare(ones(9, 4), ones(9, 4)), "as near as all others is not nearest");
        Assert.ThrowsExactly<ArgumentException>(() => LabelFreeEvaluation.OwnCropShare(q, n.reshape(12, 2)));
    }

    [TestMethod]
    public void OnPhotographsTheFiguresRiseAboveRandomWeightsAsAnEncoderLearns()
    {
        using ImageStore photos = Photos.Squares(16);
        MaePretrainOptions options = TinyModels.Options with
        {
            Epochs = 60, BatchSize = 32, LearningRate = 2e-3, WarmupEpochs = 3, WeightDecay = 0.05, HeldOutImages = 200, HeldOutEvery = 20,
        };
        MaePretrainResult result = MaePretraining.Run(photos, options);
        using MaskedAutoencoder model = result.Model;
        CollectionAssert.AreEqual((int[])[20, 40, 60], result.History.Where(e => e.HeldOut is not null).Select(e => e.Epoch).ToArray());
        (LabelFreeEvaluation middle, LabelFreeEvaluation last) = (result.History[19].HeldOut!, result.History[59].HeldOut!);
        LabelFreeEvaluation random = last.RandomWeights!;
        Assert.AreEqual(200, last.Count);
        Assert.IsGreaterThan(random.RankMe, last.RankMe, $"{last}");
        Assert.IsGreaterThan(middle.RankMe, last.RankMe, $"{middle} -> {last}");
        Assert.IsGreaterThan(random.OwnCrop + 0.02, last.OwnCrop, $"{last}");
        Assert.IsLessThan(0.4 * random.Reconstruction!.Value, last.Reconstruction!.Value, $"{last}");
        Assert.IsLessThan(middle.Reconstruction!.Value, last.Reconstruction!.Value, $"{middle} -> {last}");
    }

    [TestMethod]
    public void ACollapsedEncoderHasRankOneAndFindsNoCrop()
    {
        using ImageStore photos = Photos.Squares(32);
        using var encoder = ImageEncoder.Create(TinyModels.Encoder with { ImageHeight = 32, ImageWidth = 32 });
        LabelFreeEvaluation before = LabelFreeEvaluation.Of(encoder, photos);
        Assert.AreEqual(before, LabelFreeEvaluation.Of(encoder, photos), "the same seed, the same crops");
        Assert.AreNotEqual(before.OwnCrop, LabelFreeEvaluation.Of(encoder, photos, seed: 1).OwnCrop);
        using (no_grad())
            foreach ((string name, TorchSharp.Modules.Parameter weight) in encoder.Model.named_parameters())
                if (name.StartsWith("norm.", StringComparison.Ordinal)) weight.fill_(name.EndsWith("weight", StringComparison.Ordinal) ? 1e-9 : 0.5);
        LabelFreeEvaluation collapsed = LabelFreeEvaluation.Of(encoder, photos);
        Assert.IsGreaterThan(3, before.RankMe, $"{before}");
        Assert.AreEqual(1, collapsed.RankMe, 1e-3);
        Assert.AreEqual(0, collapsed.OwnCrop, 1e-9);
        StringAssert.Matches(before.ToString(), new Regex("^RankMe [0-9.]+, own crop nearest [0-9.]+ %$"));
        using ImageStore other = TinyModels.Images(4), one = TinyModels.Images(1, 32, 32);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => LabelFreeEvaluation.Of(encoder, other)).Message, "16x16");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => LabelFreeEvaluation.Of(encoder, one)).Message, "at least two");
    }

    [TestMethod]
    public void WhatIsHeldOutIsNeverTrainedOn()
    {
        using ImageStore images = TinyModels.Images(20);
        images.Add().Fill(1);                                                                   // twenty of one kind, and one of another
        long dark = 0, seen = 0;
        for (int seed = 0; seed < 4; seed++)
        {
            long before = seen;
            MaePretraining.Run(images, TinyModels.Options with { Seed = seed, Epochs = 3, HeldOutImages = 14, Objective = new Counting(Count) }).Model.Dispose();
            Assert.AreEqual(3 * 7, seen - before, "seven images, each once an epoch");
        }
        Assert.IsTrue(dark is 0 or 3 or 6 or 9 or 12, $"{dark}: an image is trained on in every epoch or in none");
        Assert.IsLessThan(12, dark);

        void Count(Tensor batch)
        {
            seen += batch.size(0);
            dark += batch.amax([1, 2, 3]).lt(-1.5).sum().ToInt64();
        }
    }

    [TestMethod]
    [DataRow(4L)]
    [DataRow(6L)]
    public void AStoppedRunGoesOnWithTheSameFigures(long stop)
    {
        using ImageStore images = TinyModels.Images(41);
        MaePretrainOptions options = TinyModels.Options with
        {
            Epochs = 4, HeldOutImages = 17, HeldOutEvery = 2, WeightAverageDecay = 0.9, Checkpoints = new CheckpointOptions { Directory = _folder },
        };
        EpochSummary[] whole = Run(options with { Checkpoints = null });
        using var cancellation = new CancellationTokenSource();
        var stopping = options with { CancellationToken = cancellation.Token, Progress = new Reporter(p => { if (p.Step >= stop) cancellation.Cancel(); }) };
        Assert.ThrowsExactly<OperationCanceledException>(() => Run(stopping));
        EpochSummary[] resumed = Run(options);
        CollectionAssert.AreEqual(whole.Select(e => e.Loss).ToArray(), resumed.Select(e => e.Loss).ToArray());
        CollectionAssert.AreEqual(whole.Select(e => e.HeldOut).ToArray(), resumed.Select(e => e.HeldOut).ToArray());
        Assert.IsNotNull(whole[1].HeldOut?.RandomWeights);

        EpochSummary[] Run(MaePretrainOptions run)
        {
            MaePretrainResult result = MaePretraining.Run(images, run);
            using MaskedAutoencoder model = result.Model;
            if (result.History is [.., { HeldOut: { } last }] && run.HeldOutEvery == 2)
            {
                // The last look is a look at the model that the run gives: at the average of the weights.
                LabelFreeEvaluation again = MaePretraining.Evaluate(model, images, run with { HeldOutImages = 0 });
                Assert.AreEqual(41, again.Count);
                Assert.AreEqual(last.Reconstruction!.Value, again.Reconstruction!.Value, 0.2 * again.Reconstruction.Value);
            }
            return [.. result.History];
        }
    }

    [TestMethod]
    public void FiguresAppearInProgressLogAndReport()
    {
        using ImageStore images = TinyModels.Images(24);
        List<TrainingProgress> reports = [];
        List<string> log = [];
        MaePretrainResult result;
        using (var table = new RunLog(_folder, new Reporter(reports.Add)))
            result = MaePretraining.Run(images, TinyModels.Options with { HeldOutImages = 8, Progress = table }, log: log.Add);
        result.Model.Dispose();
        StringAssert.Contains(log[0], "on 16 images, 8 more held out");
        StringAssert.Contains(log[^1], "held out (random weights in brackets) RankMe ");
        TrainingProgress[] ends = [.. reports.Where(r => r.EpochEnded)];
        CollectionAssert.AreEqual(result.History.Select(e => e.HeldOut).ToArray(), ends.Select(r => r.HeldOut).ToArray());
        Assert.IsTrue(reports.TrueForAll(r => r.EpochEnded || r.HeldOut is null));
        StringAssert.Contains(ends[0].ToString(), "own crop nearest");
        string[] cells = File.ReadAllLines(Path.Combine(_folder, "progress.csv"))[^1].Split(',');
        Assert.AreEqual(ends[^1].HeldOut!.RankMe, double.Parse(cells[^3]));
        Assert.AreEqual(ends[^1].HeldOut!.OwnCrop, double.Parse(cells[^2]));
        Assert.AreEqual(ends[^1].HeldOut!.Reconstruction!.Value, double.Parse(cells[^1]));

        string page = new HtmlReport("run").AddHistory("Training", result.History).ToString();
        foreach (string curve in (string[])["RankMe, held out", "own crop nearest in %, held out", "reconstruction error, held out"])
            StringAssert.Contains(page, $"aria-label=\"{curve} against epoch\"");
        Assert.HasCount(6, Regex.Matches(page, "<svg "));
        Assert.HasCount(3, Regex.Matches(page, ">random weights</text>"));
    }

    [TestMethod]
    [DynamicData(nameof(Smae.Tests.EveryMethod.Rows), typeof(Smae.Tests.EveryMethod))]
    public void EveryMethodIsMeasuredAndTheErrorWhereItPredictsPixels(string method)
    {
        using ImageStore images = TinyModels.Images(24);
        MaePretrainOptions options = Smae.Tests.EveryMethod.Options(method, TinyModels.Options with { HeldOutImages = 8 }, _folder);
        MaePretrainResult result = MaePretraining.Run(images, options), without = MaePretraining.Run(images, options with { HeldOutEvery = 2 });
        using MaskedAutoencoder model = result.Model, other = without.Model;
        LabelFreeEvaluation last = result.History[^1].HeldOut!;
        Assert.IsGreaterThan(1, last.RankMe);
        Assert.AreEqual(options.Objective.Target is DecoderTarget.Pixels or DecoderTarget.LinearPixels, last.Reconstruction is > 0);
        Assert.AreEqual(last.ToString().Contains("reconstruction"), last.Reconstruction is not null);
        Assert.AreEqual(result.LastLoss, without.LastLoss, "to look changes nothing");
        Assert.AreEqual(last, without.History[^1].HeldOut);
    }

    [TestMethod]
    public void HoldingOutTooManyIsRefused()
    {
        using ImageStore images = TinyModels.Images(8);
        StringAssert.Contains(
            Assert.ThrowsExactly<ArgumentException>(() => MaePretraining.Run(images, TinyModels.Options with { HeldOutImages = 8 })).Message,
            "HeldOutImages is 8 and there are 8");
        string message = Assert.ThrowsExactly<ArgumentException>((TinyModels.Options with { HeldOutImages = 1, HeldOutEvery = 0 }).Validate).Message;
        StringAssert.Contains(message, "HeldOutImages is 1");
        StringAssert.Contains(message, "HeldOutEvery is 0");
    }

    private sealed class Reporter(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }

    /// <summary>The pixel objective, which shows the images it is given.</summary>
    private sealed record Counting(Action<Tensor> Shown) : Objective
    {
        public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) => new Run(this, Pixel().Begin(model, options, device));

        private sealed class Run(Counting objective, ObjectiveRun pixels) : ObjectiveRun
        {
            public override Tensor Loss(PretrainBatch batch)
            {
                objective.Shown(batch.Images);
                return pixels.Loss(batch);
            }
        }
    }
}
