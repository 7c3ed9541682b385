using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

[TestClass]
public class AugmentationErasingTests
{
    [TestMethod]
    public void OneBoxOfTheRightSizeIsBlankInAsManyImagesAsAskedFor()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor erased = Augmentation.RandomErasing(0.25, fill: ErasingFill.Zero).Apply(ones(2000, 2, 24, 30), 1);
        Assert.IsTrue(erased.select(1, 0).Equals(erased.select(1, 1)), "all channels alike");
        Tensor blank = erased.select(1, 0).eq(0);
        float[] area = blank.to_type(ScalarType.Float32).sum(1, 2).data<float>().ToArray();
        float[] rows = blank.any(2).to_type(ScalarType.Float32).sum(1).data<float>().ToArray();
        float[] columns = blank.any(1).to_type(ScalarType.Float32).sum(1).data<float>().ToArray();
        int[] touched = [.. Enumerable.Range(0, 2000).Where(i => area[i] > 0)];
        Assert.AreEqual(500, touched.Length, 60);
        foreach (int i in touched)
        {
            Assert.AreEqual(rows[i] * columns[i], area[i], "a box");
            Assert.IsTrue(rows[i] < 24 && columns[i] < 30 && area[i] / 720 is > 0.013f and < 0.36f, $"{rows[i]} x {columns[i]}");
        }
        Assert.AreEqual((0.02 + 1.0 / 3) / 2, touched.Average(i => area[i] / 720), 0.02);
        Assert.AreEqual(0, touched.Average(i => Math.Log(rows[i] / columns[i])), 0.1);
        Assert.IsGreaterThan(2f, touched.Max(i => rows[i] / columns[i]));
        Assert.IsLessThan(0.5f, touched.Min(i => rows[i] / columns[i]));
    }

    [TestMethod]
    public void NoiseIsStandardOnceTheImagesAreNormalised()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor images = full(200, 3, 24, 24, -100f);
        Tensor erased = Augmentation.RandomErasing(1).Apply(images, 1);
        float[] mean = [0.485f, 0.456f, 0.406f], deviation = [0.229f, 0.224f, 0.225f];   // ImageNet's
        for (int channel = 0; channel < 3; channel++)
        {
            float[] pixels = erased.select(1, channel).contiguous().data<float>().ToArray();
            float[] noise = [.. pixels.Where(v => v != -100).Select(v => (v - mean[channel]) / deviation[channel])];
            Assert.IsGreaterThan(10000, noise.Length);
            Assert.AreEqual(0, noise.Average(), 0.03);
            Assert.AreEqual(1, noise.Average(v => v * v), 0.04);
        }
    }

    [TestMethod]
    public void NoiseTakesTheStatisticsGiven()
    {
        using DisposeScope scope = NewDisposeScope();
        var preprocessing = new ImagePreprocessing { Height = 8, Width = 8, Channels = 1, Mean = [0.7f], StandardDeviation = [1e-6f] };
        Tensor erased = Augmentation.RandomErasing(1, preprocessing: preprocessing).Apply(zeros(20, 1, 8, 8), 1);
        float[] noise = [.. erased.flatten().data<float>().ToArray().Where(v => v != 0)];
        Assert.IsTrue(noise.Length > 100 && noise.All(v => Math.Abs(v - 0.7f) < 1e-5f));
        Assert.ThrowsExactly<ArgumentException>(() => Augmentation.RandomErasing(1, preprocessing: preprocessing).Apply(zeros(2, 3, 8, 8), 1));
    }

    [TestMethod]
    public void AnImageTooSmallForAnyBoxIsLeftAlone()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor images = rand(4, 3, 1, 1);
        Assert.IsTrue(images.Equals(Augmentation.RandomErasing(1).Apply(images, 1)));
    }
}
