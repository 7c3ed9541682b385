using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>PixMIM: what the filter does to images that one can think through, and the objective in runs.</summary>
[TestClass]
public class LowPassPixelTests
{
    [TestMethod]
    [DataRow(16, 16)]
    [DataRow(15, 21)]
    public void AFlatImageStaysAndACheckerboardBecomesFlat(int height, int width)
    {
        using DisposeScope scope = NewDisposeScope();
        ImagePreprocessing preprocessing = new() { Height = height, Width = width };
        using var filter = new LowPassFilter(preprocessing, 0.25, CPU);
        Tensor mean = tensor(preprocessing.Mean.ToArray(), [1, 3, 1, 1]), deviation = tensor(preprocessing.StandardDeviation.ToArray(), [1, 3, 1, 1]);
        Tensor Normalized(Tensor units) => (units - mean) / deviation;
        Tensor flat = Normalized(full([2L, 3L, height, width], 0.5f));
        Close.To(flat, filter.Apply(flat), 1e-5, "flat");
        if (height % 2 != 0) return;   // with an odd side a checkerboard is not of one frequency
        Tensor board = (arange(height).unsqueeze(1) + arange(width)).remainder(2).to_type(ScalarType.Float32).expand(2, 3, -1, -1);
        Close.To(flat, filter.Apply(Normalized(board)), 1e-5, "checkerboard");
    }

    [TestMethod]
    public void TheEncoderSeesTheImageAndTheLossTheFilteredOne()
    {
        using DisposeScope scope = NewDisposeScope();
        (MaskedAutoencoder model, Tensor images, PatchMask mask) = Setting();
        using var _ = model;
        using var filter = new LowPassFilter(TinyModels.Options.Preprocessing, 0.2, CPU);
        using ObjectiveRun run = Objective.LowPassPixel(0.2).Begin(model);
        Reconstruction reconstruction = model.forward(images, mask);
        Tensor expected = Objective.Pixel().Loss(reconstruction with { Patches = Patches.FromImages(filter.Apply(images), 4) });
        Assert.AreEqual(expected.ToDouble(), run.Loss(images, mask).ToDouble(), 1e-6);   // added up in another order
        Assert.AreNotEqual(Objective.Pixel().Loss(reconstruction).ToDouble(), expected.ToDouble(), 1e-3);
    }

    [TestMethod]
    public void AFilterThatPassesEverythingLeavesTheLossOfPixels()
    {
        using DisposeScope scope = NewDisposeScope();
        (MaskedAutoencoder model, Tensor images, PatchMask mask) = Setting();
        using var _ = model;
        foreach (bool normalize in (bool[])[true, false])
        {
            using ObjectiveRun filtered = Objective.LowPassPixel(1, normalize).Begin(model), plain = Objective.Pixel(normalize).Begin(model);
            Assert.AreEqual(plain.Loss(images, mask).ToDouble(), filtered.Loss(images, mask).ToDouble(), 1e-5);
        }
    }

    [TestMethod]
    public void TheLossFalls()
    {
        using ImageStore images = TinyModels.Images(64);
        MaePretrainOptions options = TinyModels.Options with { Epochs = 20, LearningRate = 3e-3, Objective = Objective.LowPassPixel() };
        MaePretrainResult result = MaePretraining.Run(images, options);
        using MaskedAutoencoder model = result.Model;
        Assert.IsLessThan(0.7 * result.FirstLoss, result.LastLoss);
        (int width, int height, byte[] rgba) = ReconstructionGrid.Draw(model, images, [0, 1], options, scale: 1);
        Assert.HasCount(width * height * 4, rgba);
    }

    [TestMethod]
    public void GreyImagesAndImagesThatAreNotSquareDo()
    {
        using ImageStore images = TinyModels.Images(8, height: 16, width: 24, channels: 1);
        MaePretrainOptions options = TinyModels.Options with
        {
            Encoder = TinyModels.Encoder with { ImageWidth = 24, Channels = 1 }, Objective = Objective.LowPassPixel(),
            Augmentation = Augmentation.RandomCrop(),
        };
        using MaskedAutoencoder model = MaePretraining.Run(images, options).Model;
    }

    [TestMethod]
    [DataRow(0.0, "Objective.Radius is 0")]
    [DataRow(-0.1, "Objective.Radius is -0.1")]
    [DataRow(double.NaN, "Objective.Radius is NaN")]
    [DataRow(double.PositiveInfinity, "Objective.Radius is Infinity")]
    [DataRow(0.04, "lets nothing of 16x16 pixels through")]   // 0.64 pixels, and the nearest frequencies are 0.71 from the middle
    public void ARadiusThatLetsNothingThroughIsRefusedBeforeTheFirstStep(double radius, string part)
    {
        using ImageStore images = TinyModels.Images(8);
        MaePretrainOptions options = TinyModels.Options with { Objective = Objective.LowPassPixel(radius), Epochs = 0 };
        string message = Assert.ThrowsExactly<ArgumentException>(() => MaePretraining.Run(images, options)).Message;
        StringAssert.Contains(message, part);
        StringAssert.Contains(message, "Epochs is 0");
    }

    [TestMethod]
    public void ThePublishedRadiusIs40PixelsAt224()
    {
        bool[] passes = LowPassFilter.Circle(224, 224, Objective.LowPassPixel().Radius);
        int[] middle = [.. Enumerable.Range(0, 224).Where(x => passes[111 * 224 + x])];
        Assert.AreEqual((72, 151), (middle[0], middle[^1]));   // 39.5 to either side of 111.5
        Assert.AreEqual(Math.PI * 40 * 40, passes.Count(p => p), 30);
    }

    private static (MaskedAutoencoder Model, Tensor Images, PatchMask Mask) Setting()
    {
        using var generator = new Generator(1);
        Tensor images = rand([2, 3, 16, 16], ScalarType.Float32, generator: generator) * 2 - 1;
        return (new MaskedAutoencoder(TinyModels.Encoder, seed: 1), images, PatchMask.FromNoise(rand([2, 16], generator: generator), 0.75));
    }
}
