using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

[TestClass]
public class AugmentationGeometryTests
{
    [TestMethod]
    public void AFlipMirrorsLeftToRightAsOftenAsAskedFor()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor images = tensor(new float[] { 0, 0.5f, 1 }, [1, 1, 1, 3]).repeat(2000, 1, 1, 1);
        float[] mirrored = Augmentation.HorizontalFlip(0.3).Apply(images, 1).narrow(3, 0, 1).flatten().data<float>().ToArray();
        Assert.AreEqual(600, mirrored.Count(v => v == 1), 60);
        Assert.AreEqual(2000, mirrored.Count(v => v is 0 or 1));
    }

    [TestMethod]
    public void ABilinearCropTakesTheValuesWorkedOutByHand()
    {
        // Two pixels, 0.2 and 0.6, become four: their centres lie 0.25, 0.75, 1.25 and 1.75 into the two.
        AssertRows([0.2f, 0.3f, 0.5f, 0.6f], Enlarged(Interpolation.Bilinear));
    }

    [TestMethod]
    public void ABicubicCropTakesTheValuesWorkedOutByHand()
    {
        // Weights at distances 0.25, 0.75, 1.25: 0.8671875, 0.2265625, -0.0703125; those of pixels outside the box are left out, the rest sum to 1.
        AssertRows([0.164706f, 0.282857f, 0.517143f, 0.635294f], Enlarged(Interpolation.Bicubic));
    }

    [TestMethod]
    public void ACropStretchesEachImagesOwnBoxInBothDirections()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor image = arange(16, ScalarType.Float32).reshape(1, 1, 4, 4).div(16).repeat(2, 1, 1, 1);
        Tensor resized = RandomResizedCrop.Resize(image, [new(1, 2, 1, 1), new(0, 0, 4, 4)], Interpolation.Bicubic);
        Close.To(full(4, 4, 6f / 16), resized[0, 0], 1e-6, "a box of one pixel");
        Close.To(image[1, 0], resized[1, 0], 1e-6, "the whole image");
    }

    [TestMethod]
    public void ACropOfAnotherSizeWidensItsFilterWhereItShrinks()
    {
        using DisposeScope scope = NewDisposeScope();
        // Six pixels become two, each through a triangle that reaches three pixels to either side of 1.5 or 4.5. The centres 0.5, 1.5, 2.5 and 3.5
        // have 2, 3, 2 and 1 thirds of the first; what would lie before the edge is left out, so these are divided by 8.
        Tensor image = tensor(new float[] { 0.8f, 0.4f, 0.6f, 0.2f, 0.1f, 0.9f }, [1, 1, 1, 6]).repeat(1, 1, 4, 1);
        Tensor small = RandomResizedCrop.Resize(image, [new(0, 0, 4, 6)], Interpolation.Bilinear, (4, 2));
        CollectionAssert.AreEqual((long[])[1, 1, 4, 2], small.shape);
        Close.To(tensor(new[] { (1.6f + 1.2f + 1.2f + 0.2f) / 8, (0.6f + 0.4f + 0.3f + 1.8f) / 8 }), small[0, 0, 2], 1e-6, "row");
        Close.To(small[0, 0, 0], small[0, 0, 3], 1e-6, "rows alike");
        Tensor same = RandomResizedCrop.Resize(image, [new(1, 2, 3, 4)], Interpolation.Bicubic);
        Assert.IsTrue(same.Equals(RandomResizedCrop.Resize(image, [new(1, 2, 3, 4)], Interpolation.Bicubic, (4, 6))));
    }

    [TestMethod]
    public void BoxesFitAndAreSpreadAsTorchvisionsAre()
    {
        var random = new RandomSequence(1);
        CropBox[] boxes = [.. Enumerable.Range(0, 20000).Select(_ => CropBox.ForResizedCrop(random, 64, 64, (0.2, 1), (3.0 / 4, 4.0 / 3)))];
        Assert.IsTrue(boxes.All(b => b.Top >= 0 && b.Left >= 0 && b.Height > 0 && b.Width > 0 && b.Top + b.Height <= 64 && b.Left + b.Width <= 64));
        Assert.IsTrue(boxes.All(b => b.Height * b.Width >= 0.19 * 4096 && (double)b.Width / b.Height is > 0.72 and < 1.38));
        // Means of 20000 draws of torchvision 0.14.1; large boxes that do not fit are drawn anew, so the area is below the middle, 0.6.
        Assert.AreEqual(0.544, boxes.Average(b => b.Height * b.Width / 4096.0), 0.006);
        Assert.AreEqual(46.4, boxes.Average(b => b.Height), 0.4);
        Assert.AreEqual(46.4, boxes.Average(b => b.Width), 0.4);
        Assert.AreEqual(8.75, boxes.Average(b => b.Top), 0.25);
        Assert.AreEqual(8.75, boxes.Average(b => b.Left), 0.25);
    }

    [TestMethod]
    public void WhereNoBoxFitsTheCentralOneIsTaken()
    {
        var random = new RandomSequence(1);
        Assert.AreEqual(new CropBox(0, 23, 40, 53), CropBox.ForResizedCrop(random, 40, 100, (0.9, 1), (3.0 / 4, 4.0 / 3)));
        Assert.AreEqual(new CropBox(23, 0, 53, 40), CropBox.ForResizedCrop(random, 100, 40, (0.9, 1), (3.0 / 4, 4.0 / 3)));
        Assert.AreEqual(new CropBox(0, 2, 10, 6), CropBox.ForResizedCrop(random, 10, 10, (1, 1), (0.5, 0.6)));
    }

    [TestMethod]
    public void ACropMovesTheImageAndMirrorsOrBlanksItsPadding()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor image = arange(1, 10, ScalarType.Float32).reshape(1, 1, 3, 3);
        AssertImage([5, 6, 5, 8, 9, 8, 5, 6, 5], RandomCrop.Move(image, [1], [1], reflect: true));
        AssertImage([5, 6, 0, 8, 9, 0, 0, 0, 0], RandomCrop.Move(image, [1], [1], reflect: false));
        AssertImage([6, 5, 4, 3, 2, 1, 6, 5, 4], RandomCrop.Move(image, [-1], [-2], reflect: true));
        AssertImage([0, 0, 0, 0, 0, 1, 0, 0, 4], RandomCrop.Move(image, [-1], [-2], reflect: false));
    }

    [TestMethod]
    public void CropsLieEverywhereWithinThePadding()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor image = zeros(1, 1, 5, 5);
        image[0, 0, 2, 2] = 1;
        Tensor cropped = Augmentation.RandomCrop(2, reflect: false).Apply(image.repeat(1000, 1, 1, 1), 1);
        Assert.AreEqual(1000f, cropped.sum().ToSingle());   // two pixels either way never lose the centre
        float[] counts = cropped.sum(0, 1).flatten().data<float>().ToArray();
        Assert.IsTrue(counts.All(c => c is > 15 and < 70), string.Join(' ', counts));
    }

    [TestMethod]
    public void PixelsMoveAsTorchvisionsAffineAndRotateMoveThem()
    {
        using DisposeScope scope = NewDisposeScope();
        AssertImage([0, 1, 2, 0, 4, 5, 0, 7, 8], Moved(DrawnOperation.Translate(1, 0)));
        AssertImage([4, 5, 6, 7, 8, 9, 0, 0, 0], Moved(DrawnOperation.Translate(0, -1)));
        AssertImage([1, 2, 3, 5, 6, 0, 8, 9, 0], Moved(DrawnOperation.ShearX(0.5)));   // row y comes from x + 0.5 (y + 0.5) further right
        AssertImage([1, 5, 6, 4, 8, 9, 7, 0, 0], Moved(DrawnOperation.ShearY(0.5)));
        AssertImage([3, 6, 9, 2, 5, 8, 1, 4, 7], Moved(DrawnOperation.Rotate(90, 3, 3)));   // counter-clockwise
        AssertImage([7, 4, 1, 8, 5, 2, 9, 6, 3], Moved(DrawnOperation.Rotate(-90, 3, 3)));
        AssertImage([1, 2, 3, 4, 5, 6, 7, 8, 9], Moved(DrawnOperation.Rotate(0, 3, 3)));
    }

    [TestMethod]
    public void EachImageMovesByItsOwnMap()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor image = arange(1, 10, ScalarType.Float32).reshape(1, 1, 3, 3).repeat(3, 2, 1, 1);
        DrawnOperation[] drawn = [DrawnOperation.Translate(1, 0), DrawnOperation.None, DrawnOperation.Rotate(90, 3, 3)];
        Tensor moved = ByteOperations.Apply(image, drawn, AffineSampling.Nearest);
        AssertImage([0, 1, 2, 0, 4, 5, 0, 7, 8], moved[0, 1]);
        AssertImage([1, 2, 3, 4, 5, 6, 7, 8, 9], moved[1, 0]);
        AssertImage([3, 6, 9, 2, 5, 8, 1, 4, 7], moved[2, 1]);
    }

    [TestMethod]
    public void BicubicMovesTakeFourPixelsEachWayAndTheColourOutside()
    {
        using DisposeScope scope = NewDisposeScope();
        // Half a pixel further right: weights -1/8, 5/8, 5/8, -1/8, so (-10 + 50 + 100 - 60) / 8 = 10, 290 / 8 = 36.25, 680 / 8 = 85, outside.
        Tensor image = tensor(new float[] { 10, 20, 60, 100 }, [1, 1, 1, 4]).repeat(1, 1, 4, 1);
        Tensor map = tensor(new float[] { 1, 0, 0.5f, 0, 1, 0 }, [1, 6]), outside = tensor(new float[] { 77 }, [1, 1, 1, 1]);
        AssertImage([10, 36, 85, 77], AffineSampling.Bicubic(image, map, outside)[0, 0, 1]);
        AssertImage([10, 20, 60, 100], AffineSampling.Bicubic(image, tensor(new float[] { 1, 0, 0, 0, 1, 0 }, [1, 6]), outside)[0, 0, 3]);
    }

    private static Tensor Moved(DrawnOperation operation) =>
        ByteOperations.Apply(arange(1, 10, ScalarType.Float32).reshape(1, 1, 3, 3), [operation], AffineSampling.Nearest);

    private static Tensor Enlarged(Interpolation interpolation)
    {
        Tensor image = tensor(new float[] { 0.9f, 0.2f, 0.6f, 0.1f }, [1, 1, 1, 4]).repeat(1, 1, 4, 1);
        return RandomResizedCrop.Resize(image, [new(0, 1, 4, 2)], interpolation);
    }

    private static void AssertRows(float[] row, Tensor images)
    {
        using (images) Close.To(tensor(row, [1, 1, 1, 4]).repeat(1, 1, 4, 1), images, 3e-6, "rows");
    }

    private static void AssertImage(float[] expected, Tensor actual) => CollectionAssert.AreEqual(expected, actual.flatten().data<float>().ToArray());
}
