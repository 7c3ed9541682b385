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
    public void ABlockHasAnAreaAndAnAspectWithinThePapersLimitsOnAnyGrid()
    {
        var random = new Random(1);
        var drawn = new RandomSequence(1);
        var aspects = new List<double>();
        for (int trial = 0; trial < 20_000; trial++)
        {
            (int height, int width) = (random.Next(1, 40), random.Next(1, 40));
            int toHide = random.Next(1, height * width + 1);
            var block = MaskBlock.Draw(height, width, toHide, drawn);
            string what = $"{block} of {toHide} on {height}x{width}";
            Assert.IsTrue(block.Top >= 0 && block.Top + block.Height <= height + 1e-9, what);
            Assert.IsTrue(block.Left >= 0 && block.Left + block.Width <= width + 1e-9, what);
            double area = block.Height * block.Width, aspect = block.Height / block.Width, largest = Math.Max(16, toHide);
            (bool high, bool wide) = (block.Height == height, block.Width == width);   // cut: the grid is too small for what was drawn
            Assert.IsTrue((high || wide || area >= 16 - 1e-9) && area <= largest + 1e-9, what);
            Assert.IsTrue((high || aspect >= 0.3 - 1e-9) && (wide || aspect <= 1 / 0.3 + 1e-9), what);
            if (Math.Min(height, width) > Math.Sqrt(largest / 0.3)) aspects.Add(aspect);   // never cut: all that is drawn is seen
        }
        Assert.IsGreaterThan(1000, aspects.Count);
        Assert.AreEqual((0.3 + 1 / 0.3) / 2, aspects.Average(), 0.1, "uniform; log-uniform would have a mean of 1.26");
    }

    [TestMethod]
    public void AMaskIsAUnionOfBlocksLessWhatTheLastOneGivesBack()
    {
        var random = new Random(2);
        for (int trial = 0; trial < 2000; trial++)
        {
            (int height, int width) = (random.Next(1, 24), random.Next(1, 24));
            int patches = height * width, target = random.Next(0, patches + 1);
            var hidden = new bool[patches];
            BlockMasking.Hide(hidden, height, width, target, new RandomSequence(trial));
            string what = $"{target} of {height}x{width}, seed {trial}";
            Assert.AreEqual(target, hidden.Count(h => h), what);

            var again = new RandomSequence(trial);   // blocks come first from the same numbers, what is given back after them
            HashSet<int> before = [], last = [];
            while (before.Count + last.Count < target)
            {
                before.UnionWith(last);
                var block = MaskBlock.Draw(height, width, target - before.Count, again);
                int[] covered = [.. block.Patches(height, width)];
                AssertIsWhatTheBlockTouches(block, covered, height, width);
                last = [.. covered.Except(before)];
            }
            Assert.IsTrue(before.All(p => hidden[p]), $"{what}: only the last block gives back");
            Assert.IsTrue(Enumerable.Range(0, patches).Where(p => hidden[p]).All(p => before.Contains(p) || last.Contains(p)), what);
        }
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

    /// <summary>A rectangle of whole patches: those that share more than an edge with the block.</summary>
    private static void AssertIsWhatTheBlockTouches(MaskBlock block, int[] covered, int height, int width)
    {
        static bool Overlap(double from, double length, int cell) => from < cell + 1 && from + length > cell;
        int[] expected =
        [
            .. Enumerable.Range(0, height * width)
                .Where(p => Overlap(block.Top, block.Height, p / width) && Overlap(block.Left, block.Width, p % width)),
        ];
        CollectionAssert.AreEqual(expected, covered, $"{block} on {height}x{width}");
        int rows = covered.Select(p => p / width).Distinct().Count(), columns = covered.Select(p => p % width).Distinct().Count();
        Assert.HasCount(rows * columns, covered);
    }
}
