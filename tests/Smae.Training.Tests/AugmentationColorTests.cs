using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

[TestClass]
public class AugmentationColorTests
{
    private const int Brightness = 0, Contrast = 1, Saturation = 2, Hue = 3;
    private const int Grey = 0, Solarize = 1, Blur = 2;

    [TestMethod]
    public void ColoursChangeByTheValuesWorkedOutByHand()
    {
        using DisposeScope scope = NewDisposeScope();
        // Grey values 0.2989 r + 0.587 g + 0.114 b of the two pixels: 0.5 * 0.2989 + 0.25 * 0.587 = 0.2962 and 0.114; their mean is 0.2051.
        Tensor image = tensor(new float[] { 0.5f, 0, 0.25f, 0, 0, 1 }, [1, 3, 1, 2]);
        AssertValues([0.75f, 0, 0.375f, 0, 0, 1], ColorJitter.Change(Brightness, image, Factor(1.5)));
        AssertValues([0.35255f, 0.10255f, 0.22755f, 0.10255f, 0.10255f, 0.60255f], ColorJitter.Change(Contrast, image, Factor(0.5)));
        AssertValues([0.3981f, 0.057f, 0.2731f, 0.057f, 0.1481f, 0.557f], ColorJitter.Change(Saturation, image, Factor(0.5)));
        AssertValues([0.6019f, 0, 0.2269f, 0, 0, 1], ColorJitter.Change(Saturation, image, Factor(1.5)));
    }

    [TestMethod]
    [DataRow(0.8f, 0.4f, 0.2f, 1.0 / 3, 0.2f, 0.8f, 0.4f)]    // a third of a turn: red becomes green, green blue, blue red
    [DataRow(0.8f, 0.4f, 0.2f, -1.0 / 3, 0.4f, 0.2f, 0.8f)]
    [DataRow(1f, 0f, 0f, 0.5, 0f, 1f, 1f)]
    [DataRow(1f, 0f, 0f, 1.0 / 12, 1f, 0.5f, 0f)]
    [DataRow(0.2f, 0.8f, 0.5f, 0.25, 0.2f, 0.2f, 0.8f)]       // 150 degrees to 240, pure blue above the grey
    [DataRow(0.3f, 0.3f, 0.3f, 0.4, 0.3f, 0.3f, 0.3f)]
    [DataRow(0.3f, 0.9f, 0.1f, 0.0, 0.3f, 0.9f, 0.1f)]
    public void TheHueTurns(float red, float green, float blue, double turn, float newRed, float newGreen, float newBlue)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor turned = ColorJitter.Change(Hue, tensor(new[] { red, green, blue }, [1, 3, 1, 1]), tensor(new[] { (float)turn, 0 }, [1, 2]));
        AssertValues([newRed, newGreen, newBlue], turned);
    }

    [TestMethod]
    public void FactorsAreUniformAroundOneAndNeverNegative()
    {
        using DisposeScope scope = NewDisposeScope();
        static float[] Drawn(double strength)
        {
            Tensor changed = Augmentation.ColorJitter(brightness: strength).Apply(full(4000, 1, 2, 2, 0.25f), 1);
            return [.. changed.amax(1, 2, 3).data<float>().ToArray().Select(v => v / 0.25f)];
        }
        float[] factors = Drawn(0.4);
        Assert.IsTrue(factors.All(f => f is >= 0.5999f and < 1.4001f));
        Assert.AreEqual(1, factors.Average(), 0.02);
        Assert.AreEqual(0.8 * 0.8 / 12, factors.Average(f => (f - 1) * (f - 1)), 0.003);
        factors = Drawn(2);
        Assert.IsTrue(factors.All(f => f is >= 0 and <= 3));
        Assert.AreEqual(1.5, factors.Average(), 0.06);
    }

    [TestMethod]
    public void SomeImagesAreMadeGreyAndSomeInvertedWhereTheyAreBright()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor image = tensor(new float[] { 1, 0.25f, 128f / 255, 127f / 255, 0, 0 }, [1, 3, 1, 2]), images = image.repeat(2000, 1, 1, 1);
        Tensor grey = Augmentation.Grayscale(0.2).Apply(images, 1), inverted = Augmentation.Solarize(0.2).Apply(images, 1);
        int[] changed = [Changed(grey, images), Changed(inverted, images)];
        Assert.IsTrue(changed.All(c => c is > 340 and < 460), string.Join(' ', changed));
        float first = 0.2989f + 0.587f * 128 / 255, second = 0.2989f * 0.25f + 0.587f * 127 / 255;
        AssertValues([first, second, first, second, first, second], Augmentation.Grayscale(1).Apply(image, 1));
        AssertValues([0, 0.25f, 127f / 255, 127f / 255, 0, 0], Augmentation.Solarize(1).Apply(image, 1));
        AssertValues([0, 0.75f, 127f / 255, 128f / 255, 0, 0], Augmentation.Solarize(1, threshold: 0.2).Apply(image, 1));

        static int Changed(Tensor now, Tensor before) => (int)now.ne(before).flatten(1).any(1).sum().ToInt64();
    }

    [TestMethod]
    public void AWiderBlurReachesFurther()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor image = zeros(1, 1, 41, 41);
        image[0, 0, 20, 20] = 1;
        foreach (double deviation in (double[])[1, 2, 4])
        {
            Tensor blurred = Augmentation.GaussianBlur(deviation, deviation).Apply(image, 1)[0, 0];
            Tensor along = arange(41, ScalarType.Float32) - 20, row = blurred.sum(0L);
            Assert.AreEqual(1, row.sum().ToDouble(), 1e-4, "nothing is lost");
            Assert.AreEqual(deviation * deviation, (row * along.square()).sum().ToDouble(), 0.01 * deviation * deviation, $"{deviation}");
        }
    }

    [TestMethod]
    public void TheOrderOfTheChangesDiffersFromImageToImage()
    {
        using DisposeScope scope = NewDisposeScope();
        // Pixels 0, 1/2, 1, brightness b < 1, contrast c > 1. Contrast first makes 0, 1/2, 1 of them (cut off), then 0, b/2, b: their ratio stays.
        // Brightness first makes 0, b/2, b, then 0, b/2, b (1 + c) / 2: it falls. b and c are uniform in 0..2, one image in 8 the first way.
        Tensor images = tensor(new float[] { 0, 0.5f, 1 }, [1, 1, 1, 3]).repeat(800, 1, 1, 1);
        float[][] changed = [.. Augmentation.ColorJitter(1, 1).Apply(images, 2).reshape(800, 3).data<float>().ToArray().Chunk(3)];
        float[][] dimmer = [.. changed.Where(v => v[0] == 0 && v[2] < 1)];
        Assert.AreEqual(100, dimmer.Count(v => Math.Abs(v[1] / v[2] - 0.5) < 1e-5), 35);
        Assert.AreEqual(81, dimmer.Count(v => v[1] / v[2] < 0.49999), 35);   // 800 / 8 * ln(3/2) * 2: where b (1 + c) / 2 is below 1
    }

    [TestMethod]
    public void ThreeAugmentsChoicesTakeTheValuesWorkedOutByHand()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor image = tensor(new float[] { 0.5f, 0, 0.25f, 0, 0, 1 }, [1, 3, 1, 2]), none = zeros(1, 1);
        AssertValues([0.2962f, 0.114f, 0.2962f, 0.114f, 0.2962f, 0.114f], ThreeAugment.Change(Grey, image, none));
        Tensor bytes = tensor(new[] { 0f, 127f, 128f, 255f }, [1, 1, 2, 2]).div(255);
        AssertValues([0, 127 / 255f, 127 / 255f, 0], ThreeAugment.Change(Solarize, bytes, none));
    }

    [TestMethod]
    public void ABlurIsGaussianKeepsTheSumAndRepeatsTheEdge()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor point = zeros(2, 1, 21, 21);
        point[TensorIndex.Ellipsis, 10, 10] = 1;
        Tensor blurred = ThreeAugment.Change(Blur, point, tensor(new float[] { 1, 0.1f }, [2, 1]));
        Assert.AreEqual(1, blurred[0].sum().ToDouble(), 1e-5);
        Assert.AreEqual(0.39894 * 0.39894, blurred[0, 0, 10, 10].ToDouble(), 1e-5);                        // 1 / the sum of exp(-k k / 2) is 0.39894
        Assert.AreEqual(Math.Exp(-0.5), (blurred[0, 0, 10, 11] / blurred[0, 0, 10, 10]).ToDouble(), 1e-5);
        Assert.AreEqual(1, blurred[1, 0, 10, 10].ToDouble(), 1e-6);
        Tensor edge = zeros(1, 1, 12, 12);
        edge[TensorIndex.Ellipsis, 0] = 1;
        Assert.AreEqual((1 + 0.39894) / 2, ThreeAugment.Change(Blur, edge, ones(1, 1))[0, 0, 5, 0].ToDouble(), 1e-5);
        Close.To(full(1, 3, 6, 6, 0.7f), ThreeAugment.Change(Blur, full(1, 3, 6, 6, 0.7f), full(1, 1, 2f)), 1e-6, "an even image");
    }

    [TestMethod]
    public void AThirdOfTheImagesGetsEachChoice()
    {
        using DisposeScope scope = NewDisposeScope();
        // Left half red 0.8: grey has equal channels, solarized is 0.2 and 1, blurred keeps 0.8 far from the edge.
        Tensor images = zeros(900, 3, 1, 40);
        images[TensorIndex.Colon, 0, 0, TensorIndex.Slice(0, 20)] = 0.8f;
        float[] first = Augmentation.ThreeAugment(0, 0).Apply(images, 1)[TensorIndex.Colon, 0, 0, 2].contiguous().data<float>().ToArray();
        Assert.AreEqual(300, first.Count(v => Math.Abs(v - 0.8 * 0.2989) < 1e-5), 50);
        Assert.AreEqual(300, first.Count(v => Math.Abs(v - 0.2) < 1e-5), 50);
        Assert.AreEqual(300, first.Count(v => Math.Abs(v - 0.8) < 1e-5), 50);
    }

    private static Tensor Factor(double factor) => tensor(new[] { (float)factor, (float)(1 - factor) }, [1, 2]);

    private static void AssertValues(float[] expected, Tensor actual)
    {
        float[] values = actual.flatten().data<float>().ToArray();
        Assert.HasCount(expected.Length, values);
        for (int i = 0; i < values.Length; i++) Assert.AreEqual(expected[i], values[i], 2e-6f, $"[{i}] of {string.Join(' ', values)}");
    }
}
