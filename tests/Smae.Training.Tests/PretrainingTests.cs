namespace Smae.Training.Tests;

[TestClass]
public class PretrainingTests
{
    [TestMethod]
    public void TheLossFalls()
    {
        using ImageStore images = TinyModels.Images(64);
        MaePretrainResult result = Run(images, TinyModels.Options with { Epochs = 20, LearningRate = 3e-3 });
        Assert.IsLessThan(0.7 * result.FirstLoss, result.LastLoss);
        Assert.HasCount(20, result.History);
        Assert.IsGreaterThan(0, result.ImagesPerSecond);
    }

    [TestMethod]
    public void TheSameSeedGivesTheSameRunBitForBit()
    {
        using ImageStore images = TinyModels.Images(20);
        double[] Losses(int seed) => [.. Run(images, TinyModels.Options with { Seed = seed }).History.Select(e => e.Loss)];
        CollectionAssert.AreEqual(Losses(3), Losses(3));
        CollectionAssert.AreNotEqual(Losses(3), Losses(4));
    }

    /// <summary>Epoch by epoch, the loss in bfloat16 is nearer to that in float32 than that of another seed is.</summary>
    [TestMethod]
    public void TheLossInBFloat16IsThatInFloat32WithinNoise()
    {
        using ImageStore images = TinyModels.Images(64);
        MaePretrainOptions options = TinyModels.Options with { Epochs = 10, LearningRate = 3e-3, Seed = 1 };
        double[] Losses(MaePretrainOptions run) => [.. Run(images, run).History.Select(epoch => epoch.Loss)];
        double[] exact = Losses(options), rough = Losses(options with { Precision = Precision.BFloat16 }), other = Losses(options with { Seed = 2 });
        double difference = exact.Zip(rough, (a, b) => Math.Abs(a - b)).Average(), noise = exact.Zip(other, (a, b) => Math.Abs(a - b)).Average();
        Assert.IsLessThan(noise, difference);
        Assert.AreEqual(exact[^1], rough[^1], 0.02 * exact[^1]);
        CollectionAssert.AreNotEqual(exact, rough, "both ran in one format");
    }

    [TestMethod]
    public void ImagesThatDoNotFillABatchAreAllTrainedOnOverTheEpochs()
    {
        using ImageStore images = TinyModels.Images(5);
        MaePretrainResult result = Run(images, TinyModels.Options with { BatchSize = 128 });
        Assert.HasCount(2, result.History);
    }

    [TestMethod]
    public void ProgressTellsEpochStepLossAndTimeLeft()
    {
        using ImageStore images = TinyModels.Images(24);
        var reports = new List<TrainingProgress>();
        Run(images, TinyModels.Options with { Epochs = 3, Progress = new Recorder(reports) });
        TrainingProgress last = reports[^1];
        Assert.AreEqual((3, 3, 9L, 9L, true), (last.Epoch, last.Epochs, last.Step, last.TotalSteps, last.EpochEnded));
        Assert.AreEqual(TimeSpan.Zero, last.Remaining);
        Assert.AreEqual(3, reports.Count(r => r.EpochEnded));
        Assert.IsTrue(reports.All(r => r.Loss > 0 && r.ImagesPerSecond > 0));
        StringAssert.Contains(last.ToString(), "epoch 3/3");
    }

    [TestMethod]
    public void ACancelledRunStops()
    {
        using ImageStore images = TinyModels.Images(24);
        using var cancellation = new CancellationTokenSource();
        var reports = new List<TrainingProgress>();
        MaePretrainOptions options = TinyModels.Options with
        {
            Epochs = 1000, CancellationToken = cancellation.Token, Progress = new Recorder(reports, p => { if (p.Epoch == 2) cancellation.Cancel(); }),
        };
        Assert.ThrowsExactly<OperationCanceledException>(() => Run(images, options));
        Assert.AreEqual(2, reports[^1].Epoch);
    }

    [TestMethod]
    public void ALossThatIsNoLongerFiniteStopsTheRunWithItsPlace()
    {
        using ImageStore images = TinyModels.Images(16);
        MaePretrainOptions options = TinyModels.Options with { Epochs = 50, LearningRate = 1e30, WarmupEpochs = 0 };
        var e = Assert.ThrowsExactly<NonFiniteLossException>(() => Run(images, options));
        Assert.IsGreaterThan(1, e.Step);
        StringAssert.Contains(e.Message, "LearningRate");
    }

    [TestMethod]
    public void MemoryIsFlatFromStep50To500()
    {
        using ImageStore images = TinyModels.Images(8);
        long at50 = 0, at500 = 0;
        var watch = new Recorder([], p =>
        {
            if (p.Step == 50) at50 = ResidentBytes();
            if (p.Step == 500) at500 = ResidentBytes();
        });
        Run(images, TinyModels.Options with { Epochs = 500, Progress = watch });   // one step an epoch, and every epoch's end is reported
        Assert.IsGreaterThan(0, at50);
        Assert.IsLessThan(8L << 20, at500 - at50, $"{at50 >> 10} KB at step 50, {at500 >> 10} KB at step 500");
    }

    [TestMethod]
    public void AllWrongOptionsAreNamedInOneMessage()
    {
        MaePretrainOptions wrong = TinyModels.Options with
        {
            Encoder = TinyModels.Encoder with { ImageWidth = 17 }, Epochs = 0, BatchSize = -1, LearningRate = double.NaN, WeightDecay = -1, Beta1 = 1,
        };
        string message = Assert.ThrowsExactly<ArgumentException>(wrong.Validate).Message;
        foreach (string part in (string[])
            ["ImageWidth is 17", "PatchSize (4)", "Epochs is 0", "BatchSize is -1", "LearningRate is NaN", "WeightDecay is -1", "Beta1 is 1"])
            StringAssert.Contains(message, part);
    }

    [TestMethod]
    public void ImagesOfAnotherSizeAndNoImagesAreRefused()
    {
        using ImageStore other = TinyModels.Images(4, height: 16, width: 20), none = new(16, 16);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Run(other, TinyModels.Options)).Message, "16x20");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => Run(none, TinyModels.Options)).Message, "no image");
    }

    [TestMethod]
    public void ThePictureShowsOriginalMaskedAndReconstructed()
    {
        using ImageStore images = TinyModels.Images(16);
        MaePretrainResult result = Run(images, TinyModels.Options);
        (int width, int height, byte[] rgba) = ReconstructionGrid.Draw(result.Model, images, [0, 1], TinyModels.Options, scale: 1);
        Assert.AreEqual((3 * (16 + 4) + 4, 2 * (16 + 4) + 4), (width, height));
        Assert.HasCount(width * height * 4, rgba);
        for (int y = 0; y < 16; y++)
        for (int x = 0; x < 16; x++)
        for (int c = 0; c < 3; c++)
            Assert.AreEqual(images[0][(y * 16 + x) * 3 + c], rgba[((y + 4) * width + x + 4) * 4 + c], 1, "the original is the original");
    }

    private static MaePretrainResult Run(ImageStore images, MaePretrainOptions options) => MaePretraining.Run(images, options);

    private static long ResidentBytes()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    private sealed class Recorder(List<TrainingProgress> reports, Action<TrainingProgress>? also = null) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            reports.Add(value);
            also?.Invoke(value);
        }
    }
}
