using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>The masks of SimMIM, MaskFeat and data2vec, and what these methods refuse. What they compute is in the golden files.</summary>
[TestClass]
public class MaskTokenMethodTests
{
    [TestMethod]
    [DataRow(14, 14, 2, 0.6, 30)]   // the paper's: 30 squares of 49
    [DataRow(16, 8, 4, 0.5, 4)]
    [DataRow(5, 3, 1, 0.4, 6)]
    public void SquaresAreHiddenWholeAndEquallyOften(int height, int width, int side, double ratio, int squares)
    {
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator(3);
        Masking masking = Masking.Squares(ratio, side);
        Tensor hidden = masking.Draw(1500, height, width, generator).Hidden().view(-1, height / side, side, width / side, side);
        Tensor ofSquares = hidden.mean([2L, 4L]).flatten(1);
        Assert.IsTrue(ofSquares.eq(0).logical_or(ofSquares.eq(1)).all().ToBoolean(), "a square is hidden as a whole");
        Assert.IsTrue(ofSquares.sum(1).eq(squares).all().ToBoolean());
        Assert.AreEqual(squares * side * side, masking.HiddenCount(height, width));
        double share = (double)squares / (height * width / side / side);
        Assert.IsLessThan(0.065, (ofSquares.mean([0L]) - share).abs().max().ToDouble());   // five standard deviations
    }

    /// <summary>Rectangles as BEiT's code draws them: the expected numbers are means over 20,000 masks of that code.</summary>
    [TestMethod]
    public void BlockWiseMasksAreThoseOfBeit()
    {
        const int images = 3000;
        int filled = 0, neighbours = 0, whole = 0;
        for (int i = 0; i < images; i++)
        {
            var hidden = new bool[14 * 14];
            int count = BlockWiseMasking.Hide(hidden, 14, 14, count: 75, minPatches: 16, maxPatches: int.MaxValue, new RandomSequence(i));
            Assert.AreEqual(hidden.Count(h => h), count);
            Assert.IsLessThanOrEqualTo(75, count);
            (filled, whole) = (filled + count, whole + (count == 75 ? 1 : 0));
            for (int p = 0; p < 14 * 13; p++) neighbours += hidden[p] == hidden[p + 14] ? 1 : 0;
        }
        Assert.AreEqual(74.47, (double)filled / images, 0.25, "hidden patches of an image");
        Assert.AreEqual(0.666, (double)whole / images, 0.05, "images in which all 75 are hidden");
        Assert.AreEqual(0.890, (double)neighbours / images / (14 * 13), 0.005, "patches that are as the one below");
    }

    [TestMethod]
    [DataRow(14, 14, 0.61, 16, 120)]   // data2vec's
    [DataRow(14, 14, 0.4, 15, 78)]   // MaskFeat's
    [DataRow(4, 4, 0.75, 16, 12)]   // no rectangle fits: all patch by patch
    [DataRow(3, 9, 0.3, 2, 8)]
    public void BlockWiseHidesTheSameNumberInEveryImage(int height, int width, double ratio, int least, int hidden)
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator one = new(3), two = new(3);
        Masking masking = Masking.BlockWise(ratio, least);
        PatchMask mask = masking.Draw(200, height, width, one);
        Assert.IsTrue(mask.Hidden().sum(1).eq(hidden).all().ToBoolean());
        Assert.AreEqual(hidden, masking.HiddenCount(height, width));
        Assert.IsTrue(mask.Restore.Equals(masking.Draw(200, height, width, two).Restore), "the same seed");
        Assert.IsGreaterThan(150, mask.Hidden().data<float>().ToArray().Chunk(height * width).Select(image => string.Join("", image)).Distinct().Count());
    }

    [TestMethod]
    public void WhatCannotWorkIsNamed()
    {
        MaePretrainOptions o = TinyModels.Options;
        void Refused(MaePretrainOptions options, string expected) => StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(options.Validate).Message, expected);
        Refused(o with { Masking = Masking.Squares(0.6, 3) }, "Masking hides squares of 3x3 of 4x4 patches: expected a side that divides both.");
        Refused(o with { Masking = Masking.Squares(0.6, 4) }, "Masking hides 60 % of 16 patches, which leaves 0 visible");
        Refused(o with { Masking = Masking.BlockWise(0.01) }, "leaves 16 visible");
        Refused(o with { Objective = Objective.Data2Vec() }, "Objective.TopBlocks is 6: expected at most Encoder.Depth (2).");
        Refused(o with { Objective = Objective.Data2Vec() with { TopBlocks = 0, Momentum = 2, Beta = -1 } }, "Objective.Beta is -1: expected 0 or a positive number.");
        Refused(o with { Objective = Objective.MaskFeat() with { CellSize = 3 } }, "Objective.CellSize is 3: expected a divisor of Encoder.PatchSize (4).");
        Refused(o with { Objective = Objective.MaskFeat() with { GaussianWindow = 12 } },
            "Objective.GaussianWindow is 12: expected a divisor of both sides of an image (16x16).");
        Refused(o with { Objective = Objective.MaskFeat(), Masking = Masking.Squares(0.6, 3) }, "Masking hides squares of 3x3");
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Masking.Squares(0.6, 0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Masking.BlockWise(0.6, 0));
    }

    /// <summary>SimMIM's pictures: what is hidden does not show through, what is seen does.</summary>
    [TestMethod]
    public void SimMimDrawsItsReconstructions()
    {
        using ImageStore images = TinyModels.Images(32);
        MaePretrainOptions options = TinyModels.Options with { Objective = Objective.SimMim(), Masking = Masking.Squares(0.6, 1), Epochs = 30 };
        MaePretrainResult result = MaePretraining.Run(images, options);
        using MaskedAutoencoder model = result.Model;
        Assert.IsLessThan(0.6 * result.FirstLoss, result.LastLoss);
        using DisposeScope scope = NewDisposeScope();
        (int width, int height, byte[] picture) = ReconstructionGrid.Draw(model, images, [0, 1], options, scale: 1);
        Assert.HasCount(width * height * 4, picture);

        Tensor pixels = randn(1, 3, 16, 16), other = pixels.clone();
        other.slice(2, 0, 4, 1).slice(3, 0, 4, 1).add_(1);   // in the first patch, which is hidden
        PatchMask mask = PatchMask.FromFlags([true, .. new bool[15]], 16);
        using var noGrad = no_grad();
        Assert.IsTrue(model.forward(pixels, mask).Prediction.Equals(model.forward(other, mask).Prediction));
        Assert.ThrowsExactly<ArgumentException>(() => model.forward(pixels, PatchMask.FromFlags([true, false], 2)));
    }
}
