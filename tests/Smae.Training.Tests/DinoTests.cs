using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>DINO in runs: it learns without collapsing, teacher and last layer do what they should, wrong settings are named.</summary>
[TestClass]
public sealed class DinoTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("smae-dino-").FullName;

    /// <summary>A small head, mild crops, no local ones.</summary>
    private static DinoObjective Small { get; } = new()
    {
        OutputDim = 24, HiddenDim = 32, BottleneckDim = 16, LocalCrops = 0, GlobalCropScale = (0.5, 1), TeacherMomentum = 0.9,
        FirstView = Augmentation.HorizontalFlip(), SecondView = Augmentation.HorizontalFlip(), LocalView = Augmentation.HorizontalFlip(),
    };

    private MaePretrainOptions Options => TinyModels.Options with
    {
        Objective = Small, BatchSize = 16, LearningRate = 2e-3, WeightDecay = 0.04, FinalWeightDecay = 0.4, Beta2 = 0.999,
        Pooling = Pooling.ClassToken, Checkpoints = new CheckpointOptions { Directory = _folder },
    };

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [TestMethod]
    public void TheLossFallsAndTheTeacherNeitherSaysTheSameOfAllImagesNorNothingOfAny()
    {
        LabelledImages images = EasyImages.Create(96);
        using ImageStore store = images.Images;
        MaePretrainOptions options = Options with { Epochs = 12, LearningRate = 1e-3, Seed = 1, Objective = Small with { TeacherMomentum = 0.97 } };
        MaePretrainResult result = MaePretraining.Run(store, options);
        using MaskedAutoencoder model = result.Model;
        using DisposeScope scope = NewDisposeScope();
        Assert.IsLessThan(0.6 * result.FirstLoss, result.LastLoss);

        using DinoHead head = Head("teacher.head");
        using var loss = new DinoLoss(Small, CPU);
        loss.Center.Value.copy_(State("center"));
        using var normalizer = new ImageNormalizer(options.Preprocessing, CPU);
        long[] all = [.. Enumerable.Range(0, 96).Select(i => (long)i)];
        Tensor tokens = model.Encoder.forward(normalizer.Normalize(store.Batch(all)));   // the encoder given is the teacher's
        Tensor said = loss.Center.Probabilities(head.forward(model.Encoder.Pool(tokens, Pooling.ClassToken)), Small.TeacherTemperatureAt(0));
        static double Entropy(Tensor p) => (p * (p + 1e-12).log()).sum(-1L).neg().mean().ToDouble();
        double most = Math.Log(Small.OutputDim), ofEach = Entropy(said), ofAll = Entropy(said.mean([0L]));
        Assert.IsLessThan(0.5 * most, ofEach, $"of an image: {ofEach:F2} of at most {most:F2}");
        Assert.IsGreaterThan(Math.Log(2), ofAll, $"of all images: {ofAll:F2}; three kinds of image, each told from the others, are 1.10");
        Assert.IsLessThan(0.8 * most, ofAll, $"of all images: {ofAll:F2} of at most {most:F2}");
        Assert.IsGreaterThan(ofEach + 0.5, ofAll, $"images differ: {ofEach:F2} of one, {ofAll:F2} of all");
    }

    [TestMethod]
    public void LocalCropsAreSmallerAndCountAsPairsWithBothGlobalOnes()
    {
        DinoObjective objective = Small with { LocalCrops = 3, LocalCropSide = 0.5, LocalCropScale = (0.1, 0.5) };
        Assert.AreEqual((8, 8), objective.LocalCropSize(TinyModels.Encoder));
        Assert.AreEqual((28, 28), new DinoObjective().LocalCropSize(VisionTransformerConfig.VitLite7_4));
        Assert.AreEqual((96, 96), new DinoObjective().LocalCropSize(VisionTransformerConfig.VitSmall16));
        Assert.AreEqual((4, 4), (objective with { LocalCropSide = 0.01 }).LocalCropSize(TinyModels.Encoder));
        using ImageStore images = TinyModels.Images(32);
        MaePretrainResult result = MaePretraining.Run(images, Options with { Epochs = 6, Objective = objective });
        using MaskedAutoencoder model = result.Model;
        Assert.IsLessThan(result.FirstLoss, result.LastLoss);

        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator(1);
        using var loss = new DinoLoss(objective, CPU);
        Tensor student = randn([5 * 4, 24], generator: generator), teacher = randn([2 * 4, 24], generator: generator);
        Tensor targets = loss.Center.Probabilities(teacher, objective.TeacherTemperatureAt(0));
        double sum = 0;
        for (int q = 0; q < 2; q++)
        for (int v = 0; v < 5; v++)
            if (q != v)
                sum -= (targets.narrow(0, 4 * q, 4) * (student.narrow(0, 4 * v, 4) / 0.1).log_softmax(-1)).sum(-1L).mean().ToDouble();
        Assert.AreEqual(sum / 8, loss.Of(student, teacher, 0).ToDouble(), 1e-5);
    }

    [TestMethod]
    public void TheLastLayerWaitsForItsEpochAndStartsFresh()
    {
        using ImageStore images = TinyModels.Images(32);
        MaePretrainOptions Frozen(int epochs) => Options with
        {
            Epochs = 2, WarmupEpochs = 0, Objective = Small with { FrozenLastLayerEpochs = epochs, TeacherMomentum = 1 },
        };   // its teacher never moves
        foreach ((int epochs, bool moved) in new[] { (2, false), (1, true) })
        {
            using MaskedAutoencoder model = MaePretraining.Run(images, Frozen(epochs)).Model;
            using DisposeScope scope = NewDisposeScope();
            Tensor start = State("teacher.head.last_layer.weight_v"), end = State("head.last_layer.weight_v");
            Assert.AreEqual(moved, !end.Equals(start), $"{epochs} epochs");
            Assert.IsFalse(State("head.mlp.0.weight").Equals(State("teacher.head.mlp.0.weight")));
            // Adam's first step is at most as long as the rate, and there were two; moments kept since the start would make them longer.
            if (moved) Assert.IsLessThan(2 * 2e-3 * 1.2, (end - start).abs().max().ToDouble());
            Assert.IsTrue(State("head.last_layer.weight_g").eq(1).all().ToBoolean(), "the rows keep their length");
            foreach (string file in Directory.GetFiles(_folder)) File.Delete(file);
        }
    }

    [TestMethod]
    public void LengthsOfTheLastLayerCanBeTrained()
    {
        using ImageStore images = TinyModels.Images(32);
        MaePretrainOptions options = Options with { Objective = Small with { NormalizeLastLayer = false, FrozenLastLayerEpochs = 0 } };
        using MaskedAutoencoder model = MaePretraining.Run(images, options).Model;
        using DisposeScope scope = NewDisposeScope();
        Assert.IsFalse(State("head.last_layer.weight_g").eq(1).all().ToBoolean());
    }

    [TestMethod]
    public void TheTeacherOrTheStudentIsKept()
    {
        using ImageStore images = TinyModels.Images(32);
        byte[] Weights(DinoObjective objective)
        {
            using MaskedAutoencoder model = MaePretraining.Run(images, Options with { Objective = objective, Checkpoints = null }).Model;
            return [.. ModelWeights.Of(model).SelectMany(w => w.Tensor.detach().contiguous().bytes.ToArray())];
        }
        CollectionAssert.AreNotEqual(Weights(Small), Weights(Small with { KeepTeacher = false }));
        DinoObjective same = Small with { TeacherMomentum = 0, FinalTeacherMomentum = 0 };   // a teacher that is the student of each step
        CollectionAssert.AreEqual(Weights(same), Weights(same with { KeepTeacher = false }));
        using var fresh = new MaskedAutoencoder(TinyModels.Encoder, seed: 3, target: DecoderTarget.None);
        byte[] start = [.. ModelWeights.Of(fresh).SelectMany(w => w.Tensor.detach().contiguous().bytes.ToArray())];
        CollectionAssert.AreEqual(start, Weights(Small with { TeacherMomentum = 1 }));
    }

    [TestMethod]
    [DataRow(ClassToken.First, PositionEncoding.SineCosine2D)]
    [DataRow(ClassToken.Last, PositionEncoding.SineCosine1D)]
    [DataRow(ClassToken.None, PositionEncoding.Learned)]
    [DataRow(ClassToken.First, PositionEncoding.Learned)]
    public void CropsOfAnotherSizeAreEncodedWithInterpolatedPositions(ClassToken token, PositionEncoding positions)
    {
        using DisposeScope scope = NewDisposeScope();
        VisionTransformerConfig config = TinyModels.Encoder with { ClassToken = token, Positions = positions };
        using var large = new VisionTransformer(config, seed: 1);
        using var small = new VisionTransformer(config with { ImageHeight = 8, ImageWidth = 12, Positions = PositionEncoding.Learned }, seed: 1);
        using var generator = new Generator(1);
        Tensor whole = randn([2, 3, 16, 16], generator: generator), crop = randn([2, 3, 8, 12], generator: generator);
        Assert.IsTrue(large.forward(whole).Equals(large.EncodeCrops(whole)));
        Dictionary<string, Tensor> from = ModelWeights.Of(large).ToDictionary(w => w.Name, w => w.Tensor);
        using (no_grad())
            foreach ((string name, Tensor tensor) in ModelWeights.Of(small))
                tensor.copy_(name == "pos_embed" ? ModelWeights.ResizePositions(from[name], (4, 4), (2, 3)) : from[name]);
        Close.To(small.forward(crop), large.EncodeCrops(crop), 1e-6, "crop");
        if (positions != PositionEncoding.Learned) return;
        large.EncodeCrops(crop).sum().backward();
        Assert.IsGreaterThan(0, from["pos_embed"].grad!.abs().sum().ToDouble(), "learned positions learn from crops");
    }

    [TestMethod]
    [DataRow("no class token")]
    [DataRow("bfloat16")]
    [DataRow("grey")]
    [DataRow("published views, drop path, parts")]
    public void OtherEncodersAndSettingsTrainToo(string kind)
    {
        int channels = kind == "grey" ? 1 : 3;
        using ImageStore images = TinyModels.Images(24, channels: channels);
        DinoObjective published = new() { OutputDim = 24, HiddenDim = 32, BottleneckDim = 16, LocalCrops = 2, LocalCropSide = 0.5 };
        VisionTransformerConfig encoder = TinyModels.Encoder;
        MaePretrainOptions options = Options with { Checkpoints = null };
        MaePretrainResult result = MaePretraining.Run(images, kind switch
        {
            "no class token" => options with { Encoder = encoder with { ClassToken = ClassToken.None }, Pooling = Pooling.Mean },
            "bfloat16" => options with { Precision = Precision.BFloat16 },
            "grey" => options with { Encoder = encoder with { Channels = 1 }, Objective = published },
            _ => options with { Objective = published, DropPath = 0.2, AccumulationSteps = 2 },
        });
        using MaskedAutoencoder model = result.Model;
        Assert.IsLessThan(1.5 * Math.Log(24), result.LastLoss);
    }

    [TestMethod]
    public void TheRateRisesToItsPeakWithinTheWarmup()
    {
        using ImageStore images = TinyModels.Images(32);
        List<double> rates = [];
        MaePretrainOptions options = Options with
        {
            Epochs = 4, BatchSize = 32, WarmupEpochs = 3, LearningRate = 0.001, Progress = new Reporter(p => rates.Add(p.LearningRate)),
        };
        using MaskedAutoencoder model = MaePretraining.Run(images, options).Model;
        CollectionAssert.AreEqual((double[])[0, 0.0005, 0.001, 0.001], rates);
    }

    [TestMethod]
    public void AllWrongSettingsAreNamedInOneMessage()
    {
        MaePretrainOptions wrong = Options with
        {
            WeightAverageDecay = 0.9, Augmentation = Augmentation.HorizontalFlip(), Objective = new DinoObjective
            {
                OutputDim = 1, HiddenDim = 0, BottleneckDim = -1, HeadLayers = 0, FrozenLastLayerEpochs = 3, StudentTemperature = 0,
                TeacherTemperature = -1, WarmupTeacherTemperature = double.NaN, TeacherTemperatureWarmupEpochs = -1, TeacherMomentum = 1.1,
                FinalTeacherMomentum = -0.1, CenterMomentum = double.NaN, ClipTensorNorm = 0, GlobalCropScale = (0.5, 0.4), LocalCrops = -1,
                LocalCropScale = (0, 1), LocalCropSide = 1.5, SecondView = null!,
            },
        };
        using ImageStore images = TinyModels.Images(8);
        string message = Assert.ThrowsExactly<ArgumentException>(() => MaePretraining.Run(images, wrong)).Message;
        string[] parts =
        [
            "OutputDim is 1", "HiddenDim is 0", "BottleneckDim is -1", "HeadLayers is 0", "FrozenLastLayerEpochs is 3", "StudentTemperature is 0",
            "TeacherTemperature is -1", "WarmupTeacherTemperature is NaN", "TeacherTemperatureWarmupEpochs is -1", "TeacherMomentum is 1.1",
            "FinalTeacherMomentum is -0.1", "CenterMomentum is NaN", "ClipTensorNorm is 0", "GlobalCropScale is (0.5, 0.4)", "LocalCrops is -1",
            "LocalCropScale is (0, 1)", "LocalCropSide is 1.5", "SecondView is null", "Augmentation is set", "WeightAverageDecay is set",
        ];
        foreach (string part in parts) StringAssert.Contains(message, part);
    }

    [TestMethod]
    public void AViewThatDoesNotFitTheImagesIsRefusedBeforeTheFirstStep()
    {
        using ImageStore images = TinyModels.Images(8, channels: 4);
        MaePretrainOptions options = Options with
        {
            Encoder = TinyModels.Encoder with { Channels = 4 }, Progress = new Reporter(_ => Assert.Fail("a step was taken")),
        };
        (string, DinoObjective)[] wrong =
        [
            ("Objective.FirstView", Small with { FirstView = new DinoObjective().FirstView }),
            ("Objective.SecondView", Small with { SecondView = Augmentation.Grayscale(0.2) }),
            ("Objective.LocalView", Small with { LocalCrops = 1, LocalView = Augmentation.ColorJitter(0.1) }),
        ];
        foreach ((string name, DinoObjective objective) in wrong)
        {
            string message = Assert.ThrowsExactly<ArgumentException>(() => MaePretraining.Run(images, options with { Objective = objective })).Message;
            StringAssert.Contains(message, name);
            StringAssert.Contains(message, "4 channels");
        }
    }

    private DinoHead Head(string name)
    {
        using var generator = new Generator(1);
        var head = new DinoHead(TinyModels.Encoder.EmbedDim, Small, generator);
        ModelWeights.Load(head.named_parameters().Select(p => (p.Item1, (Tensor)p.Item2)), LastCheckpoint, _ => false, $"objective.{name}.");
        return head;
    }

    /// <summary>What a run remembered at its end.</summary>
    private Tensor State(string name) => LastCheckpoint.Read($"objective.{name}");

    private SafeTensorsFile LastCheckpoint => SafeTensors.Open(Directory.GetFiles(_folder, "*.safetensors").Max(StringComparer.Ordinal)!);

    private sealed class Reporter(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }
}
