using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

[TestClass]
public class MaskingTests
{
    [TestMethod]
    [DataRow(8, 8, 0.75, 16)]
    [DataRow(16, 16, 0.9, 25)]
    [DataRow(3, 5, 0.5, 7)]
    public void HidesExactlyTheCountAskedForInEveryImage(int height, int width, double ratio, int visible)
    {
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator(7);
        PatchMask mask = Masking.Random(ratio).Draw(32, height, width, generator);
        CollectionAssert.AreEqual(new long[] { 32, visible }, mask.Visible.shape);
        Assert.AreEqual(height * width - visible, mask.HiddenCount);
        float[] hidden = mask.Hidden().sum(1).data<float>().ToArray();
        Assert.IsTrue(hidden.All(h => h == height * width - visible));
    }

    [TestMethod]
    public void TheVisiblePatchesAreThoseThatAreNotHidden()
    {
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator(7);
        PatchMask mask = Masking.Random(0.6).Draw(8, 6, 6, generator);
        Assert.AreEqual(0f, mask.Hidden().gather(1, mask.Visible).sum().ToSingle());
    }

    [TestMethod]
    public void RestoringInvertsTheShuffle()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor noise = rand(4, 20);
        PatchMask mask = PatchMask.FromNoise(noise, 0.75);
        Tensor tokens = randn(4, 20, 3);
        Tensor shuffled = Patches.Pick(tokens, noise.argsort(1));
        Assert.IsTrue(Patches.Pick(shuffled, mask.Restore).Equals(tokens));
    }

    [TestMethod]
    public void TheSameSeedGivesTheSameMaskAnotherSeedAnother()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor Draw(long seed)
        {
            using var random = new RandomStream(seed);
            return Masking.Random().Draw(4, 8, 8, random.At(RandomUse.Mask, 3)).Visible;
        }
        Assert.IsTrue(Draw(1).Equals(Draw(1)));
        Assert.IsFalse(Draw(1).Equals(Draw(2)));
    }

    [TestMethod]
    public void EveryPatchIsHiddenAboutAsOften()
    {
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator(1);
        float[] share = Masking.Random(0.75).Draw(4000, 4, 4, generator).Hidden().mean([0]).data<float>().ToArray();
        Assert.IsTrue(share.All(s => Math.Abs(s - 0.75) < 0.04), string.Join(" ", share));   // five standard deviations
    }

    [TestMethod]
    [DataRow(0.0)]
    [DataRow(1.0)]
    [DataRow(-0.1)]
    [DataRow(1.5)]
    [DataRow(double.NaN)]
    public void ARatioOutsideZeroToOneIsRefused(double ratio) =>
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Masking.Random(ratio)).Message, "mask ratio");

    [TestMethod]
    public void ARatioThatLeavesNothingVisibleIsRefused()
    {
        var options = new MaePretrainOptions { Encoder = VisionTransformerConfig.VitTiny16.ForImages(32), Masking = Masking.Random(0.9) };
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(options.Validate).Message, "leaves 0 visible");
    }
}
