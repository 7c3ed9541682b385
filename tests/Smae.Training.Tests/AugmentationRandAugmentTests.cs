using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

[TestClass]
public class AugmentationRandAugmentTests
{
    private const double Single = 1e-6;

    [TestMethod]
    public void TheTableIsTorchvisionsAtMagnitude9Of31()
    {
        var augment = new RandAugment(2, 9, 31);
        AssertDrawn(ImageOperation.None, [], augment.Operation(0, true, 64, 96));
        AssertDrawn(ImageOperation.Affine, [1, 0.09, 0, 0, 1, 0], augment.Operation(1, false, 64, 96));
        AssertDrawn(ImageOperation.Affine, [1, -0.09, 0, 0, 1, 0], augment.Operation(1, true, 64, 96));
        AssertDrawn(ImageOperation.Affine, [1, 0, 0, 0.09, 1, 0], augment.Operation(2, false, 64, 96));
        AssertDrawn(ImageOperation.Affine, [1, 0, -13, 0, 1, 0], augment.Operation(3, false, 64, 96));   // 0.3 * 150 / 331 * 96 = 13.05
        AssertDrawn(ImageOperation.Affine, [1, 0, 0, 0, 1, 8], augment.Operation(4, true, 64, 96));      // 0.3 * 150 / 331 * 64 = 8.70
        double cosine = Math.Cos(Math.PI / 20), sine = Math.Sin(Math.PI / 20);                            // 9 degrees about (48, 32)
        AssertDrawn(ImageOperation.Affine, [cosine, -sine, 48 - 48 * cosine + 32 * sine, sine, cosine, 32 - 48 * sine - 32 * cosine],
            augment.Operation(5, false, 64, 96), 1e-4);
        AssertDrawn(ImageOperation.Brightness, [1.27, -0.27], augment.Operation(6, false, 64, 96));
        AssertDrawn(ImageOperation.Color, [0.73, 0.27], augment.Operation(7, true, 64, 96));
        AssertDrawn(ImageOperation.Contrast, [1.27, -0.27], augment.Operation(8, false, 64, 96));
        AssertDrawn(ImageOperation.Sharpness, [0.73, 0.27], augment.Operation(9, true, 64, 96));
        AssertDrawn(ImageOperation.Posterize, [7], augment.Operation(10, true, 64, 96));
        AssertDrawn(ImageOperation.Solarize, [178.5], augment.Operation(11, true, 64, 96));
        AssertDrawn(ImageOperation.AutoContrast, [], augment.Operation(12, true, 64, 96));
        AssertDrawn(ImageOperation.Equalize, [], augment.Operation(13, true, 64, 96));
    }

    [TestMethod]
    public void TheTableHasItsEndsAtTheFirstAndLastBin()
    {
        RandAugment weakest = new(2, 0, 31), strongest = new(2, 30, 31);
        AssertDrawn(ImageOperation.Posterize, [8], weakest.Operation(10, false, 64, 64));
        AssertDrawn(ImageOperation.Posterize, [4], strongest.Operation(10, false, 64, 64));
        AssertDrawn(ImageOperation.Solarize, [255], weakest.Operation(11, false, 64, 64));
        AssertDrawn(ImageOperation.Solarize, [0], strongest.Operation(11, false, 64, 64));
        AssertDrawn(ImageOperation.Brightness, [1, 0], weakest.Operation(6, true, 64, 64));
        AssertDrawn(ImageOperation.Brightness, [0.1, 0.9], strongest.Operation(6, true, 64, 64));
        AssertDrawn(ImageOperation.Affine, [1, 0, -29, 0, 1, 0], strongest.Operation(3, false, 64, 64));   // 150 / 331 * 64 = 29.003
    }

    [TestMethod]
    public void TheIncreasingTableIsTimms()
    {
        static DrawnOperation At(int choice, double magnitude, bool negative = false) =>
            RandAugmentIncreasing.Operation(choice, magnitude, negative, 40, 80);
        AssertDrawn(ImageOperation.AutoContrast, [], At(0, 9));
        AssertDrawn(ImageOperation.Equalize, [], At(1, 9));
        AssertDrawn(ImageOperation.Invert, [], At(2, 9));
        Assert.AreEqual(DrawnOperation.Rotate(-27, 40, 80).Numbers[1], At(3, 9, true).Numbers[1], Single);
        AssertDrawn(ImageOperation.Posterize, [1], At(4, 9));
        AssertDrawn(ImageOperation.Posterize, [0], At(4, 10));
        AssertDrawn(ImageOperation.Solarize, [26], At(5, 9));
        AssertDrawn(ImageOperation.SolarizeAdd, [99], At(6, 9));
        AssertDrawn(ImageOperation.Color, [1.81, -0.81], At(7, 9));
        AssertDrawn(ImageOperation.Contrast, [0.19, 0.81], At(8, 9, true));
        AssertDrawn(ImageOperation.Brightness, [0.1, 0.9], At(9, 10, true));
        AssertDrawn(ImageOperation.Sharpness, [1.9, -0.9], At(10, 10));
        AssertDrawn(ImageOperation.Affine, [1, 0.27, 0, 0, 1, 0], At(11, 9));
        AssertDrawn(ImageOperation.Affine, [1, 0, 0, -0.27, 1, 0], At(12, 9, true));
        AssertDrawn(ImageOperation.Affine, [1, 0, 32.4, 0, 1, 0], At(13, 9));
        AssertDrawn(ImageOperation.Affine, [1, 0, 0, 0, 1, -16.2], At(14, 9, true));
    }

    [TestMethod]
    public void BlendsOfBytesCutFractionsOff()
    {
        using DisposeScope scope = NewDisposeScope();
        // Grey: 29.89 + 29.35 + 22.8 = 82.04, 82 as a byte; 2.989 + 11.74 + 3.42 = 18.149, 18; the mean of both is 50.
        Tensor image = tensor(new float[] { 100, 10, 50, 20, 200, 30 }, [1, 3, 1, 2]);
        AssertBytes([150, 15, 75, 30, 255, 45], Done(image, DrawnOperation.Blend(ImageOperation.Brightness, 1.5)));
        AssertBytes([25, 2, 12, 5, 50, 7], Done(image, DrawnOperation.Blend(ImageOperation.Brightness, 0.25)));
        AssertBytes([109, 6, 34, 21, 255, 36], Done(image, DrawnOperation.Blend(ImageOperation.Color, 1.5)));
        AssertBytes([86, 16, 74, 18, 111, 21], Done(image, DrawnOperation.Blend(ImageOperation.Color, 0.25)));
        AssertBytes([75, 30, 50, 35, 125, 40], Done(image, DrawnOperation.Blend(ImageOperation.Contrast, 0.5)));
        AssertBytes([125, 0, 50, 5, 255, 20], Done(image, DrawnOperation.Blend(ImageOperation.Contrast, 1.5)));
    }

    [TestMethod]
    public void SharpnessBlendsWithTheSmoothedInside()
    {
        using DisposeScope scope = NewDisposeScope();
        // Inside, (sum of nine + 4 * centre) / 13: 130 * 5 / 13 = 50 and, beside it, 130 / 13 = 10; the edge keeps its value whatever the factor.
        Tensor image = zeros(1, 1, 3, 4);
        image[0, 0, 1, 1] = 130;
        AssertBytes([0, 0, 0, 0, 0, 170, 0, 0, 0, 0, 0, 0], Done(image, DrawnOperation.Blend(ImageOperation.Sharpness, 1.5)));
        AssertBytes([0, 0, 0, 0, 0, 90, 5, 0, 0, 0, 0, 0], Done(image, DrawnOperation.Blend(ImageOperation.Sharpness, 0.5)));
        Tensor low = ones(1, 3, 2, 5);
        Assert.IsTrue(low.Equals(Done(low, DrawnOperation.Blend(ImageOperation.Sharpness, 0.5))));
    }

    [TestMethod]
    public void BitsAndThresholdsAreThoseOfBytes()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor image = tensor(new float[] { 0, 3, 127, 128, 171, 178, 179, 255 }, [1, 1, 2, 4]);
        AssertBytes([0, 2, 126, 128, 170, 178, 178, 254], Done(image, new(ImageOperation.Posterize, 7)));
        AssertBytes([0, 0, 112, 128, 160, 176, 176, 240], Done(image, new(ImageOperation.Posterize, 4)));
        AssertBytes([0, 0, 0, 0, 0, 0, 0, 0], Done(image, new(ImageOperation.Posterize, 0)));
        AssertBytes([0, 3, 127, 128, 171, 178, 179, 255], Done(image, new(ImageOperation.Posterize, 8)));
        AssertBytes([0, 3, 127, 128, 171, 178, 76, 0], Done(image, new(ImageOperation.Solarize, 178.5)));
        AssertBytes([0, 3, 127, 127, 84, 77, 76, 0], Done(image, new(ImageOperation.Solarize, 128)));
        AssertBytes([99, 102, 226, 128, 171, 178, 179, 255], Done(image, new(ImageOperation.SolarizeAdd, 99)));
        AssertBytes([255, 252, 128, 127, 84, 77, 76, 0], Done(image, new(ImageOperation.Invert)));
    }

    [TestMethod]
    public void AutoContrastStretchesEachChannelOfEachImage()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor images = tensor(new float[] { 50, 100, 150, 7, 7, 7, 0, 1, 255, 10, 20, 61 }, [2, 2, 1, 3]);
        // 255 / 100 * 50 = 127.5, cut off; a flat channel stays; the full range stays; 255 / 51 = 5.
        AssertBytes([0, 127, 255, 7, 7, 7, 0, 1, 255, 0, 50, 255], Done(images, new(ImageOperation.AutoContrast)));
    }

    [TestMethod]
    public void EqualizeSpreadsEachChannelOfEachImage()
    {
        using DisposeScope scope = NewDisposeScope();
        // 1024 pixels of 10, 512 of 20, 512 of 30: step = (2048 - 512) / 255 = 6, so 20 becomes (1024 + 3) / 6 = 171, 30 1539 / 6 = 256, cut.
        static Tensor Of(float low, float middle, float high) => cat([full(1024, low), full(512, middle), full(512, high)]).reshape(1, 32, 64);
        Tensor images = stack([cat([Of(10, 20, 30), Of(9, 9, 9)]), cat([Of(0, 128, 255), Of(30, 20, 10)])]);
        Tensor equal = Done(images, new(ImageOperation.Equalize));
        Assert.IsTrue(equal[0, 0].Equals(Of(0, 171, 255)[0]));
        Assert.IsTrue(equal[0, 1].Equals(Of(9, 9, 9)[0]));
        Assert.IsTrue(equal[1, 0].Equals(Of(0, 171, 255)[0]));
        Assert.IsTrue(equal[1, 1].Equals(Of(255, 128, 0)[0]));   // step = (2048 - 1024) / 255 = 4: (512 + 2) / 4 = 128, (1024 + 2) / 4 = 256
    }

    [TestMethod]
    public void OperationsAreDrawnFromAllFourteen()
    {
        using DisposeScope scope = NewDisposeScope();
        // At magnitude 0 an image that is black but for one dim pixel stays as it is, by all operations but one, autocontrast.
        Tensor image = zeros(1, 3, 8, 8);
        image[0, TensorIndex.Colon, 4, 4] = 100 / 255f;
        Tensor changed = Augmentation.RandAugment(1, 0).Apply(image.repeat(1400, 1, 1, 1), 1);
        int same = Enumerable.Range(0, 1400).Count(i => changed[i].allclose(image[0], 0, 1e-6));
        Assert.AreEqual(1300, same, 40);
    }

    [TestMethod]
    public void AtMagnitudeZeroOnlyTheStretchesOfTheHistogramAct()
    {
        using DisposeScope scope = NewDisposeScope();
        var augment = new RandAugment(1, 0, 31);
        Tensor image = randint(0, 256, new long[] { 1, 3, 16, 16 }, ScalarType.Float32);
        image[0, 0, 0, 0] = 255;   // solarize at 255 inverts only this
        for (int choice = 0; choice < RandAugment.Choices - 3; choice++)
            Assert.IsTrue(image.Equals(Done(image, augment.Operation(choice, true, 16, 16))), $"operation {choice}");
    }

    [TestMethod]
    public void TheStrengthOfTimmsFormVaries()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor image = linspace(0, 1, 12 * 12).reshape(1, 1, 12, 12).repeat(600, 3, 1, 1);
        int Distinct(double deviation) => Augmentation.RandAugmentIncreasing(1, 9, deviation).Apply(image, 1)
            .reshape(600, -1).unbind().Select(t => string.Join(' ', t.data<float>().ToArray())).Distinct().Count();
        int steady = Distinct(0), varied = Distinct(0.5);
        Assert.IsTrue(steady <= 24, $"{steady} ways at one magnitude: 15 operations, some with two signs, and none");
        Assert.IsGreaterThan(100, varied);
    }

    private static Tensor Done(Tensor bytes, DrawnOperation operation) =>
        ByteOperations.Apply(bytes, [.. Enumerable.Repeat(operation, (int)bytes.size(0))], AffineSampling.Nearest);

    private static void AssertBytes(float[] expected, Tensor actual) => CollectionAssert.AreEqual(expected, actual.flatten().data<float>().ToArray());

    private static void AssertDrawn(ImageOperation operation, double[] numbers, DrawnOperation drawn, double tolerance = Single)
    {
        Assert.AreEqual(operation, drawn.Operation);
        Assert.HasCount(numbers.Length, drawn.Numbers);
        for (int i = 0; i < numbers.Length; i++) Assert.AreEqual(numbers[i], drawn.Numbers[i], tolerance, $"number {i}");
    }
}
