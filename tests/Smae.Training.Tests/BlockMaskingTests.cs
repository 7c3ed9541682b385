using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

[TestClass]
public class BlockMaskingTests
{
    [TestMethod]
    [DataRow(16, 16, 0.5)]
    [DataRow(8, 8, 0.75)]
    [DataRow(4, 10, 0.9)]
    [DataRow(3, 3, 0.3)]
    public void HidesExactlyTheCountAskedForOnAnyGrid(int height, int width, double ratio)
    {
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator(11);
        PatchMask mask = Masking.Block(ratio).Draw(64, height, width, generator);
        float expected = height * width - (int)(height * width * (1 - ratio));
        Assert.IsTrue(mask.Hidden().sum(1).data<float>().ToArray().All(h => h == expected));
        Assert.AreEqual(0f, mask.Hidden().gather(1, mask.Visible).sum().ToSingle());
    }

    [TestMethod]
    public void RestoringInvertsTheShuffle()
    {
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator(11);
        PatchMask mask = Masking.Block().Draw(3, 8, 8, generator);
        Tensor tokens = randn(3, 64, 2), visible = Patches.Pick(tokens, mask.Visible);
        Tensor restored = Patches.Pick(cat([visible, zeros(3, mask.HiddenCount, 2)], 1), mask.Restore);
        Assert.IsTrue(restored.Equals(tokens * (1 - mask.Hidden().unsqueeze(-1))));
    }

    [TestMethod]
    public void HiddenPatchesStandTogether()
    {
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator(11);
        static double NeighboursAlike(PatchMask mask)
        {
            Tensor grid = mask.Hidden().view(-1, 16, 16);
            return grid.narrow(2, 0, 15).eq(grid.narrow(2, 1, 15)).to_type(ScalarType.Float32).mean().ToDouble();
        }
        Assert.AreEqual(0.5, NeighboursAlike(Masking.Random(0.5).Draw(200, 16, 16, generator)), 0.02);
        Assert.IsGreaterThan(0.75, NeighboursAlike(Masking.Block(0.5).Draw(200, 16, 16, generator)));
    }

    [TestMethod]
    public void TheSameSeedGivesTheSameMask()
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator one = new(5), two = new(5), three = new(6);
        PatchMask first = Masking.Block().Draw(4, 16, 16, one);
        Assert.IsTrue(first.Restore.Equals(Masking.Block().Draw(4, 16, 16, two).Restore));
        Assert.IsFalse(first.Restore.Equals(Masking.Block().Draw(4, 16, 16, three).Restore));
    }

    [TestMethod]
    public void FlagsOfUnequalCountsAreRefusedWithTheImage()
    {
        string message = Assert.ThrowsExactly<ArgumentException>(() => PatchMask.FromFlags([true, false, false, true, true, false], 3)).Message;
        StringAssert.Contains(message, "Image 1 shows 1 of 3");
    }
}
