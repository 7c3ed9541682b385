namespace Smae.Training.Tests;

/// <summary>Bad input is named; the critic and the recipes.</summary>
[TestClass]
public class SupervisedInputTests
{
    private static FineTuneOptions Options { get; } = new() { Architecture = TinyModels.Encoder, Epochs = 1, BatchSize = 8, Seed = 1 };

    [TestMethod]
    public void LabelsThatDoNotFitTheImagesAreNamed()
    {
        using ImageStore images = TinyModels.Images(4), none = new(16, 16);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => new LabelledImages(images, [0, 1, 1])).Message, "4 images and 3 labels");
        StringAssert.Contains(
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new LabelledImages(images, [0, 1, -3, 1])).Message, "Image 2 has the label -3");
        StringAssert.Contains(
            Assert.ThrowsExactly<ArgumentException>(() => new LabelledImages(none, [])).Message, "no image");   // an empty validation set too

        FineTuneOptions named = Options with { ClassNames = ["cat", "dog", "owl"] };
        var gap = new LabelledImages(images, [0, 2, 2, 0]);
        StringAssert.Contains(
            Assert.ThrowsExactly<ArgumentException>(() => FineTuning.Run(gap, null, Options)).Message, "1 of 3 classes have no image to train on: 1");
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => FineTuning.Run(gap, null, named)).Message, "1 ('dog')");
        var beyond = new LabelledImages(images, [0, 1, 2, 3]);
        StringAssert.Contains(
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => FineTuning.Run(beyond, null, named)).Message,
            "Image 3 has the label 3: expected 0 to 2, for 3 classes");
        StringAssert.Contains(
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => FineTuning.Run(EasyImages.Create(9), beyond, Options)).Message,
            "Image 3 has the label 3");
    }

    [TestMethod]
    public void ImagesOfAnotherSizeAreRefused()
    {
        StringAssert.Contains(
            Assert.ThrowsExactly<ArgumentException>(() => FineTuning.Run(EasyImages.Create(9, side: 20), null, Options)).Message, "20x20");
        StringAssert.Contains(
            Assert.ThrowsExactly<ArgumentException>(() => FineTuning.Run(EasyImages.Create(9), EasyImages.Create(9, side: 20), Options)).Message,
            "20x20");
    }

    [TestMethod]
    public void AllWrongOptionsAreNamedInOneMessage()
    {
        using ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder);
        FineTuneOptions wrong = Options with
        {
            Encoder = encoder, EncoderWeights = " ", Epochs = 0, LearningRate = -1, LabelSmoothing = 1, ClassNames = ["one"], ValidateEvery = 0,
            Patience = 0, LayerDecay = 0,
            DropPath = 1, Architecture = TinyModels.Encoder with { ClassToken = ClassToken.None, Depth = 0 }, Pooling = Pooling.ClassToken,
            Preprocessing = new ImagePreprocessing { Height = 32, Width = 16, Mean = [1] },
        };
        string message = Assert.ThrowsExactly<ArgumentException>(wrong.Validate).Message;
        string[] parts =
        [
            "both set", "EncoderWeights is empty", "Epochs is 0", "LearningRate is -1", "LabelSmoothing is 1", "ClassNames has 1",
            "ValidateEvery is 0", "Patience is 0",
            "LayerDecay is 0", "DropPath is 1", "Architecture.Depth is 0", "no class token", "Preprocessing gives 32x16x3", "Mean has 1 numbers",
        ];
        foreach (string part in parts) StringAssert.Contains(message, part);
        StringAssert.Contains(
            Assert.ThrowsExactly<ArgumentException>(() => FineTuning.Run(EasyImages.Create(9), null, Options with { Patience = 3 })).Message,
            "no validation images");
    }

    [TestMethod]
    public void AModelWithOtherLogitsIsRefused()
    {
        using var model = new SqueezeNet(5);
        var preprocessing = new ImagePreprocessing { Height = 24, Width = 24 };
        var options = new SupervisedOptions { Epochs = 1, BatchSize = 4 };
        StringAssert.Contains(
            Assert.ThrowsExactly<InvalidOperationException>(
                () => SupervisedTraining.Run(model, preprocessing, EasyImages.Create(8, side: 24), null, options)).Message,
            "[5] for an image: expected [3]");
    }

    [TestMethod]
    public void TheCriticIsTrainedSavedAndServes()
    {
        LabelledImages training = EasyImages.Create(48, side: 24), validation = EasyImages.Create(12, side: 24, seed: 2);
        SupervisedOptions options = Recipes.SmaeCritic with
        {
            Epochs = 8, BatchSize = 8, WarmupEpochs = 1, Augmentation = null, WeightDecay = 0.01, Seed = 10, KeepBest = true,
        };
        SupervisedResult<SqueezeNet> result = CriticTraining.Run(training, validation, options);
        SupervisedResult<SqueezeNet> again = CriticTraining.Run(training, validation, options);
        again.Model.Dispose();
        CollectionAssert.AreEqual(
            result.History.Select(e => e.Loss).ToArray(), again.History.Select(e => e.Loss).ToArray(), "its dropout follows from the seed");
        Assert.IsGreaterThan(0.9, result.Best!.Validation!.Top1, string.Join('\n', result.History));
        string path = Path.Combine(Path.GetTempPath(), $"smae-critic-{Guid.NewGuid():N}.safetensors");
        try
        {
            using SqueezeNet critic = result.Model;
            critic.Save(path);
            VisionTransformerConfig encoder = TinyModels.Encoder.ForImages(24);
            MaePretrainResult pretrained = MaePretraining.Run(
                training.Images, TinyModels.Options with { Encoder = encoder, Epochs = 1, Objective = Objective.Semantic(0.5, path) });
            pretrained.Model.Dispose();
            Assert.IsTrue(double.IsFinite(pretrained.LastLoss));
        }
        finally
        {
            File.Delete(path);
        }
        StringAssert.Contains(
            Assert.ThrowsExactly<ArgumentException>(() => CriticTraining.Run(EasyImages.Create(9), null, options)).Message, "at least 21 pixels");
    }

    [TestMethod]
    public void EveryRecipeIsValidAndHasItsNumbers()
    {
        TrainingOptions[] all =
        [
            Recipes.SmaePretrain("critic.safetensors"), Recipes.SmaePaperMaePretrain, Recipes.SmaeFineTuneTinyImageNet, Recipes.SmaeFineTuneCub,
            Recipes.SmaeScratchTinyImageNet, Recipes.SmaeScratchCub, Recipes.SmaeLinearProbe, Recipes.SmaeCritic,
            Recipes.MaePretrain(VisionTransformerConfig.VitBase16), Recipes.PixMimPretrain(VisionTransformerConfig.VitBase16),
            Recipes.DinoPretrain(VisionTransformerConfig.VitSmall16), Recipes.SmaePaperDinoPretrain,
            Recipes.SdaePretrain(VisionTransformerConfig.VitBase16), Recipes.MffPretrain(),
            Recipes.MaeFineTuneBase(), Recipes.MaeFineTuneLarge(), Recipes.MaeLinearProbe(), Recipes.ExploringMaePretrain,
            Recipes.ExploringMaeFullAugmentation,
            Recipes.ExploringMaeSmallAugmentation,
        ];
        foreach (TrainingOptions recipe in all) recipe.Validate();
        Assert.AreEqual(2.4e-3, Recipes.MaePretrain(VisionTransformerConfig.VitBase16).LearningRate, 1e-12);
        Assert.AreEqual(2.4e-3, Recipes.PixMimPretrain(VisionTransformerConfig.VitBase16).LearningRate, 1e-12);
        Assert.AreEqual((8e-4, 300, 60.0, 0.05, 0.95), Numbers(Recipes.SdaePretrain(VisionTransformerConfig.VitBase16)));
        Assert.AreEqual((2.4e-3, 300, 40.0, 0.05, 0.95), Numbers(Recipes.MffPretrain()));
        Assert.AreEqual((1e-3, 100, 10.0, 0.04, 0.999), Numbers(Recipes.DinoPretrain(VisionTransformerConfig.VitSmall16)));
        Assert.AreEqual((1e-4, 100, 10.0, 0.04, 0.999), Numbers(Recipes.SmaePaperDinoPretrain));
        Assert.AreEqual(2e-3, Recipes.MaeFineTuneBase().LearningRate, 1e-12);
        Assert.AreEqual(6.4, Recipes.MaeLinearProbe().LearningRate, 1e-12);
        Assert.AreEqual((0.65, 0.75), (Recipes.MaeFineTuneBase().LayerDecay, Recipes.MaeFineTuneLarge().LayerDecay));
        Assert.AreEqual((5e-4, 400, 20.0, 0.15, 0.95), Numbers(Recipes.SmaePretrain("critic.safetensors")));
        Assert.AreEqual((1e-3, 100, 5.0, 0.05, 0.999), Numbers(Recipes.SmaeFineTuneTinyImageNet));
        Assert.AreEqual((5e-4, 100, 5.0, 0.05, 0.999), Numbers(Recipes.SmaeFineTuneCub));
        Assert.AreEqual((1e-3, 50, 2.0, 0.0, 0.95), Numbers(Recipes.SmaeLinearProbe));
        Assert.AreEqual((1e-3, 200, 10.0, 0.15, 0.999), Numbers(Recipes.SmaeCritic));
        Assert.IsNull(Recipes.ExploringMaeSmallAugmentation.Mixing);
        Assert.IsNotNull(Recipes.ExploringMaeFullAugmentation.Mixing);

        static (double, int, double?, double, double) Numbers(TrainingOptions o) =>
            (o.LearningRate, o.Epochs, o.WarmupEpochs, o.WeightDecay, o.Beta2);
    }
}
