using System.Globalization;
using System.Text.RegularExpressions;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>A run that was stopped and goes on is, bit for bit, the run that was never stopped.</summary>
[TestClass]
public sealed partial class ResumeTests : IDisposable
{
    [GeneratedRegex(@"^Going on from .*, after step (\d+)\.$")]
    private static partial Regex AfterStep { get; }

    private readonly string _folder = Directory.CreateTempSubdirectory("smae-resume-").FullName;
    private readonly List<string> _log = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // 3 epochs of 5 steps: stopped in the first step, within an epoch, at an epoch's end, in the last epoch.
    [TestMethod]
    [DataRow("pixel", new long[] { 1, 3, 4, 9, 14 })]
    [DataRow("pixel", new long[] { 5, 10 })]
    [DataRow("semantic", new long[] { 2, 7 })]
    [DataRow("calibrated", new long[] { 1, 6 })]
    [DataRow("uncertainty", new long[] { 5, 8 })]
    [DataRow("average", new long[] { 4, 13 })]
    [DataRow("accumulation", new long[] { 4, 11 })]
    [DataRow("dropout", new long[] { 3, 12 })]
    [DataRow("all", new long[] { 1, 6, 14 })]
    [DataRow("low pass", new long[] { 2, 9 })]
    [DataRow("dino", new long[] { 3, 5, 12 })]
    [DataRow("distilled", new long[] { 2, 5, 11 })]
    [DataRow("self-distilled", new long[] { 3, 5, 9, 10 })]
    [DataRow("fusion", new long[] { 4, 12 })]
    [DataRow("plain", new long[] { 3, 5, 14 })]
    public void AStoppedRunGoesOnBitForBit(string kind, long[] stops)
    {
        using SqueezeNet critic = Critic();
        using ImageStore images = TinyModels.Images(41);
        MaePretrainOptions options = Options(kind, critic);
        (double[] losses, byte[] weights) = Finish(images, options with { Checkpoints = null });
        foreach (long stop in stops) Stop(images, options, stop);
        (double[] resumedLosses, byte[] resumedWeights) = Finish(images, options);
        CollectionAssert.AreEqual(losses, resumedLosses);
        CollectionAssert.AreEqual(weights, resumedWeights);
        Assert.HasCount(stops.Length, _log.Where(l => l.StartsWith("Going on from", StringComparison.Ordinal)));
        StringAssert.Contains(_log.Last(l => l.StartsWith("Going on from", StringComparison.Ordinal)), $"after step {stops[^1]}.");
    }

    [TestMethod]
    public void AFinishedRunIsNotRunAgain()
    {
        using ImageStore images = TinyModels.Images(41);
        MaePretrainOptions options = Options("average");
        (double[] losses, byte[] weights) = Finish(images, options);
        int steps = 0;
        (double[] again, byte[] weightsAgain) = Finish(images, options with { Progress = new Reporter(_ => steps++) });
        Assert.AreEqual(0, steps);
        CollectionAssert.AreEqual(losses, again);
        CollectionAssert.AreEqual(weights, weightsAgain);
    }

    [TestMethod]
    [DataRow(14, 1)]
    [DataRow(2, 13)]
    public void TheSpeedIsThatOfTheStepsSinceTheRunWentOn(long stop, int stepsLeft)
    {
        using ImageStore images = TinyModels.Images(41);
        MaePretrainOptions options = Options("pixel");
        Stop(images, options, stop);
        MaePretrainResult resumed = MaePretraining.Run(images, options), finished = MaePretraining.Run(images, options);
        using MaskedAutoencoder model = resumed.Model, finishedModel = finished.Model;
        Assert.AreEqual(stepsLeft * options.BatchSize, resumed.ImagesPerSecond * resumed.Elapsed.TotalSeconds, 1e-6);
        Assert.AreEqual(0, finished.ImagesPerSecond);
    }

    [TestMethod]
    public void ATornFileIsNamedAndTheOneBeforeItTaken()
    {
        using ImageStore images = TinyModels.Images(41);
        MaePretrainOptions options = Options("pixel");
        (double[] losses, byte[] weights) = Finish(images, options with { Checkpoints = null });
        foreach (long stop in (long[])[2, 6, 8]) Stop(images, options, stop);
        string[] files = Files();
        Assert.HasCount(3, files);
        byte[] truncated = File.ReadAllBytes(files[2]), flipped = File.ReadAllBytes(files[1]);
        File.WriteAllBytes(files[2], truncated[..^100]);
        flipped[^1000] ^= 16;
        File.WriteAllBytes(files[1], flipped);

        (double[] resumedLosses, byte[] resumedWeights) = Finish(images, options);
        string[] passed = [.. _log.Where(l => l.StartsWith("Checkpoint passed over", StringComparison.Ordinal))];
        Assert.IsTrue(passed.Any(l => l.Contains(files[2]) && l.Contains("truncated")), Log());
        Assert.IsTrue(passed.Any(l => l.Contains(files[1]) && l.Contains("hash")), Log());
        Assert.IsTrue(_log.Any(l => l.StartsWith($"Going on from {files[0]}, after step 2.", StringComparison.Ordinal)), Log());
        CollectionAssert.AreEqual(losses, resumedLosses);
        CollectionAssert.AreEqual(weights, resumedWeights);
    }

    [TestMethod]
    public void AFlippedByteAnywhereInTheHeaderDoesNoHarm()
    {
        using ImageStore images = TinyModels.Images(9);
        MaePretrainOptions options = Options("pixel") with { BatchSize = 3 };
        (double[] losses, byte[] weights) = Finish(images, options with { Checkpoints = null });
        Stop(images, options, 4);
        string file = Files().Single();
        byte[] whole = File.ReadAllBytes(file);
        var random = new Random(2);
        for (int trial = 0; trial < 8; trial++)
        {
            byte[] damaged = [.. whole];
            damaged[random.Next(Math.Min(2500, whole.Length))] ^= (byte)(1 << random.Next(8));
            foreach (string other in Files()) File.Delete(other);
            File.WriteAllBytes(file, damaged);
            (double[] resumedLosses, byte[] resumedWeights) = Finish(images, options);
            CollectionAssert.AreEqual(losses, resumedLosses);
            CollectionAssert.AreEqual(weights, resumedWeights);
        }
    }

    [TestMethod]
    public void ForeignFilesAreNamedPassedOverAndKept()
    {
        using ImageStore images = TinyModels.Images(41);
        MaePretrainOptions options = Options("pixel");
        string text = Path.Combine(_folder, "checkpoint-9999999999.safetensors");
        File.WriteAllText(text, "not a checkpoint");
        Stop(images, options with { LearningRate = 2e-3 }, 9);
        string foreign = Files().Single(f => f != text);
        Stop(images, options, 3);
        _log.Clear();
        Finish(images, options);
        foreach (string file in (string[])[text, foreign])
        {
            Assert.IsTrue(_log.Any(l => l.StartsWith("Checkpoint passed over", StringComparison.Ordinal) && l.Contains(file)), Log());
            Assert.IsTrue(File.Exists(file), file);
        }
        Assert.IsTrue(_log.Any(l => l.Contains("after step 3.")), Log());
    }

    [TestMethod]
    public void OtherOptionsOtherImagesAndANoDoNotResume()
    {
        using ImageStore images = TinyModels.Images(41), others = TinyModels.Images(41, seed: 2);
        MaePretrainOptions options = Options("pixel");
        Stop(images, options, 6);
        MaePretrainOptions[] different = [options with { Seed = 4 }, options with { WeightDecay = 0.1 }, options with { Mean = [0.4f, 0.4f, 0.4f] }];
        foreach (MaePretrainOptions other in different)
            Stop(images, other, 2);
        Stop(others, options, 2);
        Stop(images, options with { Checkpoints = options.Checkpoints! with { Resume = false } }, 2);
        Assert.IsFalse(_log.Any(l => l.StartsWith("Going on", StringComparison.Ordinal)), Log());
        Stop(images, options, 8);
        Assert.IsTrue(_log.Any(l => l.Contains("after step 6.")), Log());
    }

    [TestMethod]
    public void ARunGoesOnWhereverItsNumbersAreWrittenInAnotherWay()
    {
        using ImageStore images = TinyModels.Images(41);
        MaePretrainOptions options = Options("average");
        var comma = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        comma.NumberFormat.NumberDecimalSeparator = ",";
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = comma;
            Stop(images, options, 6);
            Assert.AreSame(comma, CultureInfo.CurrentCulture);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
        Stop(images, options, 8);
        Assert.IsTrue(_log.Any(l => l.Contains("after step 6.")), Log());
    }

    [TestMethod]
    public void AFolderThatAnotherRunHasIsRefused()
    {
        using ImageStore images = TinyModels.Images(41);
        MaePretrainOptions options = Options("pixel");
        IOException? refused = null;
        var second = new Reporter(_ => refused ??= Assert.Throws<IOException>(() => MaePretraining.Run(images, options with { LearningRate = 0.5 })));
        MaePretraining.Run(images, options with { Progress = second }).Model.Dispose();
        StringAssert.Contains(refused!.Message, "another run has this folder");
        StringAssert.Contains(refused.Message, _folder);
    }

    [TestMethod]
    public void TheLastFewAreKept()
    {
        using ImageStore images = TinyModels.Images(41);
        MaePretrainOptions options = Options("pixel");
        Finish(images, options with { Checkpoints = options.Checkpoints! with { Interval = TimeSpan.Zero, Keep = 2 } });
        string[] steps = [.. Files().Select(f => Path.GetFileNameWithoutExtension(f)[^2..])];
        CollectionAssert.AreEqual((string[])["14", "15"], steps);
        Assert.HasCount(2, Directory.GetFiles(_folder));
    }

    [TestMethod]
    public void WhatAKilledRunLeftHalfWrittenIsRemoved()
    {
        using ImageStore images = TinyModels.Images(41);
        MaePretrainOptions options = Options("pixel");
        Stop(images, options, 2);
        string left = $"{Files().Single()}.{Guid.NewGuid():N}.tmp";
        File.WriteAllBytes(left, [1, 2, 3]);
        Stop(images, options, 4);
        Assert.IsFalse(File.Exists(left));
    }

    [TestMethod]
    public void AFolderThatCannotBeMadeIsAnErrorBeforeTheFirstStep()
    {
        using ImageStore images = TinyModels.Images(9);
        string file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");
        string inside = Path.Combine(file, "runs");
        MaePretrainOptions options = Options("pixel") with
        {
            Checkpoints = new CheckpointOptions { Directory = inside }, Progress = new Reporter(_ => Assert.Fail("a step was taken")),
        };
        var e = Assert.Throws<IOException>(() => MaePretraining.Run(images, options));
        StringAssert.Contains(e.Message, inside);
        StringAssert.Contains(e.Message, "Checkpoints.Directory");
    }

    [TestMethod]
    public void CheckpointsWithoutASeedAreRefusedTogetherWithAllOtherFaults()
    {
        MaePretrainOptions wrong = TinyModels.Options with
        {
            Seed = null, Epochs = 0, Checkpoints = new CheckpointOptions { Directory = " ", Keep = 0, Interval = TimeSpan.FromSeconds(-1) },
        };
        string message = Assert.ThrowsExactly<ArgumentException>(wrong.Validate).Message;
        string[] parts = ["Seed is null", "Epochs is 0", "Checkpoints.Directory", "Checkpoints.Keep is 0", "Checkpoints.Interval is -"];
        foreach (string part in parts)
            StringAssert.Contains(message, part);
    }

    private MaePretrainOptions Options(string kind, SqueezeNet? critic = null)
    {
        MaePretrainOptions options = TinyModels.Options with { Epochs = 3, Checkpoints = new CheckpointOptions { Directory = _folder, Keep = 10 } };
        DecoderConfig dropoutDecoder = TinyModels.Encoder.DefaultDecoder with { Dropout = 0.1 };
        VisionTransformerConfig dropout = TinyModels.Encoder with { Dropout = 0.2, DefaultDecoder = dropoutDecoder };
        return kind switch
        {
            "semantic" => options with { Objective = Objective.Semantic(0.5, critic!) },
            "calibrated" => options with
            {
                Objective = Objective.Semantic(0.5, critic!) with { Scale = PerceptualScale.Calibrated, CalibrationBatches = 7 },
            },
            "uncertainty" => options with { Objective = Objective.Semantic(0.5, critic!) with { Scale = PerceptualScale.Uncertainty } },
            "average" => options with { WeightAverageDecay = 0.8 },
            "accumulation" => options with { AccumulationSteps = 3 },
            "dropout" => options with { Encoder = dropout },
            "all" => options with
            {
                Encoder = dropout, WeightAverageDecay = 0.8, AccumulationSteps = 2, ClipGradientNorm = 0.1, Masking = Masking.Block(0.5),
                Objective = Objective.Semantic(0.5, critic!) with { Scale = PerceptualScale.Calibrated },
                Augmentation = Augmentation.HorizontalFlip().Then(Augmentation.RandomResizedCrop(0.5, 1)),
            },
            "plain" => options with { Plain = true, Encoder = dropout, WeightAverageDecay = 0.8, AccumulationSteps = 2 },
            "low pass" => options with { Objective = Objective.LowPassPixel(), Augmentation = Augmentation.RandomCrop() },
            "dino" => options with
            {
                Encoder = dropout, DropPath = 0.1, AccumulationSteps = 2, FinalWeightDecay = 0.4, Objective = new DinoObjective
                {
                    OutputDim = 20, HiddenDim = 16, BottleneckDim = 8, LocalCrops = 1, LocalCropSide = 0.5, TeacherMomentum = 0.9,
                    WarmupTeacherTemperature = 0.03, TeacherTemperatureWarmupEpochs = 2, NormalizeLastLayer = false,
                },
            },
            "distilled" => options with { Objective = Objective.DistilledRawFeatures(Teacher(), TinyModels.Encoder), AccumulationSteps = 2 },
            "self-distilled" => options with
            {
                Encoder = dropout, DropPath = 0.1, WeightAverageDecay = 0.8, Objective = Objective.SelfDistilledFeatures() with { Momentum = 0.5 },
            },
            "fusion" => options with { Encoder = TinyModels.Encoder with { Fusion = [0, 1] }, WeightAverageDecay = 0.8 },
            _ => options,
        };
    }

    /// <summary>The first layers of a SqueezeNet, whole ones need larger images.</summary>
    private SqueezeNet Critic()
    {
        string path = Path.Combine(_folder, "critic.bin");
        using (var whole = new SqueezeNet(2, seed: 1)) whole.Save(path);
        return SqueezeNet.Load(SafeTensors.Open(path), SqueezeNet.CriticDepth);
    }

    /// <summary>The weights of an encoder of the same shape, for distillation.</summary>
    private string Teacher()
    {
        string path = Path.Combine(_folder, "teacher.bin");
        using var teacher = new VisionTransformer(TinyModels.Encoder, seed: 9);
        SafeTensors.Save(path, ModelWeights.Of(teacher));
        return path;
    }

    /// <summary>Cancels a run, newly begun or resumed, once it has taken a number of steps in all.</summary>
    private void Stop(ImageStore images, MaePretrainOptions options, long atStep)
    {
        using var cancellation = new CancellationTokenSource();
        long left = atStep;
        void Log(string line)
        {
            _log.Add(line);
            if (AfterStep.Match(line) is { Success: true } m) left -= long.Parse(m.Groups[1].Value);
        }
        MaePretrainOptions stopping = options with
        {
            CancellationToken = cancellation.Token,
            Objective = new WatchedObjective(options.Objective, () => { if (--left == 0) cancellation.Cancel(); }),
        };
        Assert.ThrowsExactly<OperationCanceledException>(() => MaePretraining.Run(images, stopping, log: Log));
    }

    private (double[] Losses, byte[] Weights) Finish(ImageStore images, MaePretrainOptions options)
    {
        MaePretrainResult result = MaePretraining.Run(images, options, log: _log.Add);
        using MaskedAutoencoder model = result.Model;
        using DisposeScope scope = NewDisposeScope();
        return ([.. result.History.Select(e => e.Loss)], [.. ModelWeights.Of(model).SelectMany(w => w.Tensor.detach().contiguous().bytes.ToArray())]);
    }

    private string[] Files() => [.. Directory.GetFiles(_folder, "checkpoint-*.safetensors").Order(StringComparer.Ordinal)];

    private string Log() => string.Join('\n', _log);

    private sealed class Reporter(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
