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

    [TestMethod]
    [DataRow(0, 0, "0 patches")]
    [DataRow(0, 4, "There are 0 flags: expected 4 for each image")]
    [DataRow(3, 4, "There are 3 flags: expected 4 for each image")]
    [DataRow(9, 4, "There are 9 flags")]
    [DataRow(4, 0, "0 patches")]
    [DataRow(4, -1, "-1 patches")]
    [DataRow(4, 1, "1 patches")]
    public void FlagsThatAreNoMaskAreRefused(int flags, int patches, string message) =>
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => PatchMask.FromFlags(new bool[flags], patches)).Message, message);

    [TestMethod]
    public void NoiseThatIsNoMaskIsRefused()
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (Tensor noise in (Tensor[])[zeros(0, 4), zeros(4, 0), zeros(4), zeros(2, 2, 2)])
            StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => PatchMask.FromNoise(noise, 0.5)).Message, "expected [batch, patches]");
    }

    [TestMethod]
    public void AMaskOfAnotherSizeIsRefusedOnBothPaths()
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new MaskedAutoencoder(TinyModels.Encoder);
        Tensor images = zeros(2, 3, 16, 16);
        foreach (PatchMask mask in (PatchMask[])[PatchMask.FromNoise(rand(2, 9), 0.5), PatchMask.FromNoise(rand(3, 16), 0.5), PatchMask.FromNoise(rand(1, 16), 0.5)])
            foreach (Action predict in (Action[])[() => model.forward(images, mask), () => model.PredictHidden(images, mask)])
                StringAssert.Contains(
                    Assert.ThrowsExactly<ArgumentException>(predict).Message, $"for {mask.BatchSize} images of {mask.PatchCount} patches: expected 2 of 16");
    }
}
