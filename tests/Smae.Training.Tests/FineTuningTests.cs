using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

[TestClass]
public class FineTuningTests
{
    private static FineTuneOptions Options { get; } =
        new() { Architecture = TinyModels.Encoder, Epochs = 6, BatchSize = 8, LearningRate = 3e-3, Seed = 1 };

    [TestMethod]
    [DataRow(Pooling.Mean)]
    [DataRow(Pooling.ClassToken)]
    public void FromScratchAnEasySetIsLearned(Pooling pooling)
    {
        SupervisedResult<ImageClassifier> result =
            FineTuning.Run(EasyImages.Create(48), EasyImages.Create(21, seed: 2), Options with { Pooling = pooling });
        using ImageClassifier classifier = result.Model;
        Assert.HasCount(6, result.History);
        Assert.IsGreaterThan(0.95, result.Best!.Validation!.Top1);
        Assert.AreEqual(1, result.Best.Validation.Top5, "of three classes all are among the first five");
        Assert.IsTrue(result.History.All(e => e.Validation is { Count: 21 }));
        Assert.IsLessThan(result.History[0].Loss, result.History[^1].Loss);
        Assert.IsGreaterThan(0, result.ImagesPerSecond);
        Assert.AreEqual(
            result.Best.Validation, classifier.Evaluate(EasyImages.Create(21, seed: 2), batchSize: 8), "the result is the best epoch's model");
    }

    [TestMethod]
    public void EverythingAtOnceLearnsToo()
    {
        FineTuneOptions options = Options with
        {
            Architecture = TinyModels.Encoder with { Dropout = 0.1 }, Epochs = 12, LearningRate = 5e-3, LayerDecay = 0.9, DropPath = 0.1,
            LabelSmoothing = 0.1,
            Mixing = new MixupOrCutmix(), ClipGradientNorm = 1, AccumulationSteps = 2, WeightAverageDecay = 0.9, TrainPositions = true,
            Augmentation = Augmentation.HorizontalFlip().Then(Augmentation.RandomResizedCrop(0.6)).Then(Augmentation.RandomErasing()),
        };
        SupervisedResult<ImageClassifier> result = FineTuning.Run(EasyImages.Create(48), EasyImages.Create(21, seed: 2), options);
        using ImageClassifier classifier = result.Model;
        Assert.IsGreaterThan(0.9, result.Best!.Validation!.Top1);
        Assert.AreEqual(PositionEncoding.Learned, classifier.Model.Config.Positions);
    }

    [TestMethod]
    public void ThePretrainedWeightsAreCopiedNeverShared()
    {
        using ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder, seed: 5);
        string before = TensorHash.Of(ModelWeights.Of(encoder.Model));
        using (var copy = new VisionTransformerClassifier(TinyModels.Encoder, 3))
        {
            copy.CopyFrom(encoder.Model);
            foreach ((string name, Tensor tensor) in ModelWeights.Of(copy.Backbone))
                Assert.IsTrue(ModelWeights.Of(encoder.Model).First(w => w.Name == name).Tensor.Equals(tensor), name);
        }
        using ImageClassifier classifier =
            FineTuning.Run(EasyImages.Create(16), null, Options with { Architecture = null, Encoder = encoder, Epochs = 1 }).Model;
        Assert.AreEqual(before, TensorHash.Of(ModelWeights.Of(encoder.Model)));
        Assert.AreEqual(encoder.Preprocessing, classifier.Preprocessing);
        encoder.Embed(new byte[16 * 16 * 3], 1, new float[32]);   // and it still works
    }

    [TestMethod]
    public void AnEncoderInAFileIsAsGoodAsOneInMemory()
    {
        string folder = Directory.CreateTempSubdirectory("smae-test-").FullName;
        try
        {
            using ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder, seed: 5);
            string path = Path.Combine(folder, "encoder.safetensors");
            encoder.Save(path);
            FineTuneOptions options = Options with { Architecture = null, Epochs = 2 };
            double[] expected = Losses(options with { Encoder = encoder });
            CollectionAssert.AreEqual(expected, Losses(options with { EncoderWeights = path }));
            File.Delete(Path.ChangeExtension(path, ".json"));
            CollectionAssert.AreEqual(expected, Losses(options with { EncoderWeights = path, Architecture = TinyModels.Encoder }));
            StringAssert.Contains(
                Assert.ThrowsExactly<FileNotFoundException>(() => Losses(options with { EncoderWeights = path })).Message, "encoder.json");
            CollectionAssert.AreNotEqual(expected, Losses(Options with { Epochs = 2 }));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [TestMethod]
    public void AnotherImageSizeInterpolatesLearnedPositions()
    {
        VisionTransformerConfig learned = TinyModels.Encoder with { Positions = PositionEncoding.Learned };
        using var encoder = new VisionTransformer(learned, seed: 3);
        using var classifier = new VisionTransformerClassifier(learned.ForImages(24), 3);
        classifier.CopyFrom(encoder);
        using DisposeScope scope = NewDisposeScope();
        Tensor expected = ModelWeights.ResizePositions(ModelWeights.Of(encoder).First(w => w.Name == "pos_embed").Tensor, (4, 4), (6, 6));
        Close.To(expected, classifier.Weights.First(w => w.Name == "pos_embed").Tensor, 1e-6, "positions");
        using var narrow = new VisionTransformer(TinyModels.Encoder with { EmbedDim = 16 });
        string message = Assert.ThrowsExactly<ArgumentException>(() => classifier.CopyFrom(narrow)).Message;
        StringAssert.Contains(message, "'blocks.0.attn.qkv.weight' has the shape [48, 16], expected [96, 32]");
    }

    [TestMethod]
    public void LayerDecayGivesEachParameterTheRateOfTheFormula()
    {
        using var model = new VisionTransformerClassifier(TinyModels.Encoder with { Depth = 3, Positions = PositionEncoding.Learned }, 4);
        IReadOnlyList<ParameterGroup> groups = LayerDecay.Groups(model, 0.05, 0.65);
        int seen = 0;
        foreach ((string name, Tensor tensor) in model.Weights)
        {
            ParameterGroup group = groups.Single(g => g.Parameters.Any(p => ReferenceEquals(p, tensor) || p.Handle == tensor.Handle));
            double expected = name switch
            {
                "cls_token" or "pos_embed" or "patch_embed.proj.weight" or "patch_embed.proj.bias" => Math.Pow(0.65, 4),
                _ when name.StartsWith("blocks.0.", StringComparison.Ordinal) => Math.Pow(0.65, 3),
                _ when name.StartsWith("blocks.1.", StringComparison.Ordinal) => Math.Pow(0.65, 2),
                _ when name.StartsWith("blocks.2.", StringComparison.Ordinal) => 0.65,
                "fc_norm.weight" or "fc_norm.bias" or "head.weight" or "head.bias" => 1,
                _ => throw new InvalidOperationException(name),
            };
            Assert.AreEqual(expected, group.LearningRateScale, 1e-12, name);
            bool decays = name.EndsWith(".weight", StringComparison.Ordinal) && !name.Contains("norm");
            Assert.AreEqual(decays ? 0.05 : 0, group.WeightDecay, name);
            seen++;
        }
        Assert.AreEqual(seen, groups.Sum(g => g.Parameters.Count));
        Assert.HasCount(2, LayerDecay.Groups(model, 0.05, 1));
    }

    [TestMethod]
    public void ValidationIsInEvaluationModeAndTrainingGoesOn()
    {
        using var model = new ModeRecorder();
        var preprocessing = new ImagePreprocessing { Height = 16, Width = 16 };
        SupervisedTraining.Run(
            model, preprocessing, EasyImages.Create(12), EasyImages.Create(5, seed: 2), new SupervisedOptions { Epochs = 2, BatchSize = 4 });
        CollectionAssert.AreEqual((bool[])[true, true, true, false, false, true, true, true, false, false], model.Modes);   // 12 images by 4, 5 by 4
        Assert.IsFalse(model.training);
    }

    [TestMethod]
    public void DropoutAndDropPathAreOffInEvaluation()
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new VisionTransformerClassifier(TinyModels.Encoder with { Dropout = 0.5 }, 3);
        model.Backbone.DropPath = 0.5;
        foreach ((string name, Tensor tensor) in model.Weights)
            if (name == "head.weight") using (no_grad()) tensor.fill_(0.1).narrow(1, 0, 7).fill_(-0.3);
        Tensor images = randn(4, 3, 16, 16);
        model.eval();
        Assert.IsTrue(model.forward(images).Equals(model.forward(images)));
        model.train();
        Assert.IsFalse(model.forward(images).Equals(model.forward(images)));
    }

    [TestMethod]
    public void TheBestEpochIsKept()
    {
        // Labels of noise: what is learned by heart does worse and worse on the validation images.
        LabelledImages training = EasyImages.Shuffled(EasyImages.Create(24), 3, seed: 4);
        LabelledImages validation = EasyImages.Shuffled(EasyImages.Create(24, seed: 2), 3, seed: 5);
        FineTuneOptions options = Options with { Epochs = 8, LearningRate = 5e-3 };
        SupervisedResult<ImageClassifier> best = FineTuning.Run(training, validation, options);
        SupervisedResult<ImageClassifier> last = FineTuning.Run(training, validation, options with { KeepBest = false });
        using ImageClassifier a = best.Model, b = last.Model;
        EpochSummary expected = best.History.OrderByDescending(e => e.Validation!.Top1).ThenBy(e => e.Validation!.Loss).First();
        Assert.AreEqual(expected, best.Best);
        Assert.IsLessThan(8, expected.Epoch, "the set was meant to be learned by heart");
        Assert.AreEqual(expected.Validation, a.Evaluate(validation, 8));
        Assert.AreEqual(last.History[^1].Validation, b.Evaluate(validation, 8));
    }

    [TestMethod]
    public void WithoutANewBestTheRunEndsEarly()
    {
        LabelledImages training = EasyImages.Shuffled(EasyImages.Create(24), 3, seed: 4);
        LabelledImages validation = EasyImages.Shuffled(EasyImages.Create(24, seed: 2), 3, seed: 5);
        SupervisedResult<ImageClassifier> result =
            FineTuning.Run(training, validation, Options with { Epochs = 60, LearningRate = 5e-3, Patience = 3, ValidateEvery = 2 });
        result.Model.Dispose();
        Assert.IsLessThan(60, result.History.Count);
        Assert.AreEqual(result.Best!.Epoch + 6, result.History.Count);
        Assert.IsTrue(result.History.All(e => e.Validation is not null == (e.Epoch % 2 == 0)));
    }

    [TestMethod]
    public void TheLastEpochIsAlwaysLookedAt()
    {
        SupervisedResult<ImageClassifier> result =
            FineTuning.Run(EasyImages.Create(12), EasyImages.Create(6), Options with { Epochs = 5, ValidateEvery = 3 });
        result.Model.Dispose();
        CollectionAssert.AreEqual((bool[])[false, false, true, false, true], result.History.Select(e => e.Validation is not null).ToArray());
    }

    [TestMethod]
    public void AnAverageOfTheWeightsIsWhatIsEvaluated()
    {
        LabelledImages validation = EasyImages.Create(21, seed: 2);
        SupervisedResult<ImageClassifier> result =
            FineTuning.Run(EasyImages.Create(24), validation, Options with { WeightAverageDecay = 0.8, KeepBest = false });
        using ImageClassifier classifier = result.Model;
        Assert.AreEqual(result.History[^1].Validation, classifier.Evaluate(validation, 8));
        double[] without = Losses(Options), with = Losses(Options with { WeightAverageDecay = 0.8 });
        CollectionAssert.AreEqual(without, with, "averaging must not change training");
    }

    [TestMethod]
    public void TheLossIsCrossEntropyWithSoftTargets()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor logits = tensor(new[] { 1f, 2f, 3f, 0f, 0f, 0f }, [2, 3]), targets = tensor(new[] { 0.2f, 0.3f, 0.5f, 0f, 1f, 0f }, [2, 3]);
        double logSum = Math.Log(Math.Exp(1) + Math.Exp(2) + Math.Exp(3)), first = 0.2 * (logSum - 1) + 0.3 * (logSum - 2) + 0.5 * (logSum - 3);
        Assert.AreEqual((first + Math.Log(3)) / 2, Supervision.CrossEntropy(logits, targets).ToDouble(), 1e-6);
    }

    private static double[] Losses(FineTuneOptions options)
    {
        SupervisedResult<ImageClassifier> result = FineTuning.Run(EasyImages.Create(24), EasyImages.Create(6, seed: 2), options);
        result.Model.Dispose();
        return [.. result.History.Select(e => e.Loss)];
    }

    /// <summary>Notes in which mode it is called.</summary>
    private sealed class ModeRecorder : nn.Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Parameter _weight = new(zeros(3, 3));

        public ModeRecorder() : base(nameof(ModeRecorder)) => RegisterComponents();

        public List<bool> Modes { get; } = [];

        public override Tensor forward(Tensor input)
        {
            Modes.Add(training);
            return input.mean([2, 3]).matmul(_weight);
        }
    }
}
