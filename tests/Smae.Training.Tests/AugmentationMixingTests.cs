using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

[TestClass]
public class AugmentationMixingTests
{
    private const int Classes = 6;

    public static IEnumerable<object[]> All => [[new Mixup(0.8)], [new Cutmix(1)], [new MixupOrCutmix()], [new MixupOrCutmix { Probability = 0.5 }]];

    [TestMethod]
    public void SmoothedLabelsAreTimms()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor labels = LabelSmoothing.OneHot(tensor(new long[] { 2, 0 }), 4, 0.1);
        CollectionAssert.AreEqual(new[] { 0.025f, 0.025f, 0.925f, 0.025f, 0.925f, 0.025f, 0.025f, 0.025f }, labels.flatten().data<float>().ToArray());
        Assert.AreEqual(1f, LabelSmoothing.OneHot(tensor(new[] { 3 }), 4)[0, 3].ToSingle());
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => LabelSmoothing.OneHot(tensor(new[] { 3 }), 4, 1));
        Assert.ThrowsExactly<ArgumentException>(() => LabelSmoothing.OneHot(zeros(2, 2, ScalarType.Int64), 4));
    }

    [TestMethod]
    [DynamicData(nameof(All))]
    public void LabelsSumToOneAndWeighAsThePixelsDo(LabelMixing mixing)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor images, Tensor labels) = Batch();
        Tensor imagesBefore = images.clone(), labelsBefore = labels.clone();
        for (int seed = 0; seed < 40; seed++)
        {
            (Tensor mixed, Tensor mixedLabels) = mixing.Apply(images, labels, seed);
            CollectionAssert.AreEqual(images.shape, mixed.shape);
            Close.To(ones(Classes), mixedLabels.sum(1), 1e-6, "sums of labels");
            // The mean of an image is what its label expects.
            Close.To(mixedLabels.matmul(arange(Classes, ScalarType.Float32)), mixed.mean([1, 2, 3]), 1e-5, "mean of the pixels");
        }
        Assert.IsTrue(images.Equals(imagesBefore) && labels.Equals(labelsBefore), "what was given is left as it is");
    }

    [TestMethod]
    [DynamicData(nameof(All))]
    public void TheSeedDecidesAndTwoTensorsAreLeftBehind(LabelMixing mixing)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor images, Tensor labels) = Batch();
        int before = scope.DisposablesCount;
        (Tensor mixed, Tensor mixedLabels) = mixing.Apply(images, labels, 3);
        Assert.AreEqual(before + 2, scope.DisposablesCount);
        (Tensor again, Tensor labelsAgain) = mixing.Apply(images, labels, 3);
        Assert.IsTrue(mixed.Equals(again) && mixedLabels.Equals(labelsAgain));
        Assert.IsTrue(Enumerable.Range(4, 5).Any(seed => !mixing.Apply(images, labels, seed).Labels.Equals(mixedLabels)));
    }

    [TestMethod]
    public void MixupBlendsWholeImagesWithTheirOppositeInTheBatch()
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor images, Tensor labels) = Batch();
        (Tensor mixed, Tensor mixedLabels) = new Mixup(1).Apply(images, labels, 1);
        double share = mixedLabels[0, 0].ToDouble();
        Assert.IsTrue(share is > 0 and < 1);
        Close.To(images * share + images.flip(0) * (1 - share), mixed, 1e-6, "images");
        Assert.AreEqual(1 - share, mixedLabels[0, Classes - 1].ToDouble(), 1e-6);
    }

    [TestMethod]
    public void CutmixTakesOneBoxFromTheOppositeImage()
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor images, Tensor labels) = Batch();
        for (int seed = 0; seed < 20; seed++)
        {
            (Tensor mixed, Tensor mixedLabels) = new Cutmix(1).Apply(images, labels, seed);
            Tensor foreign = mixed[0, 0].eq(Classes - 1);
            Assert.IsTrue(mixed[0].eq(0).logical_or(mixed[0].eq(Classes - 1)).all().ToBoolean());
            static float Count(Tensor flags) => flags.to_type(ScalarType.Float32).sum().ToSingle();
            Assert.AreEqual(Count(foreign.any(1)) * Count(foreign.any(0)), Count(foreign), "a box");
            Assert.AreEqual(1 - Count(foreign) / (16 * 20), mixedLabels[0, 0].ToSingle(), 1e-6f);
        }
    }

    [TestMethod]
    public void TheBoxIsTimmsCutOffAtTheEdges()
    {
        // lambda 0.75: sqrt(0.25) of 16 and 20 is 8 and 10, so 4 and 5 pixels either way of a centre anywhere.
        var random = new RandomSequence(1);
        CropBox[] boxes = [.. Enumerable.Range(0, 4000).Select(_ => Cutmix.Box(0.75, 16, 20, random))];
        Assert.IsTrue(boxes.All(b => b.Top >= 0 && b.Left >= 0 && b.Top + b.Height <= 16 && b.Left + b.Width <= 20));
        Assert.AreEqual(8, boxes.Max(b => b.Height));
        Assert.AreEqual(10, boxes.Max(b => b.Width));
        Assert.AreEqual(4, boxes.Min(b => b.Height));   // a centre in row 0
        Assert.AreEqual(5, boxes.Min(b => b.Width));
        Assert.AreEqual((8 * 9 + 4 + 5 + 6 + 7 + 7 + 6 + 5) / 16.0, boxes.Average(b => b.Height), 0.1);
        Assert.AreEqual(new CropBox(0, 0, 0, 0), Cutmix.Box(1, 16, 20, random) with { Top = 0, Left = 0 });
    }

    [TestMethod]
    public void TheSwitchChoosesAndTheProbabilityMayLeaveABatchAlone()
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor images, Tensor labels) = Batch();
        // A mixup of images 0 and 5 holds neither value; a cutmix holds nothing else.
        int Blended(LabelMixing mixing) =>
            Enumerable.Range(0, 200).Count(seed => mixing.Apply(images, labels, seed).Images[0, 0, 0, 0].ToSingle() is not (0 or 5));
        Assert.AreEqual(0, Blended(new MixupOrCutmix(SwitchProbability: 1)));
        Assert.AreEqual(200, Blended(new MixupOrCutmix(SwitchProbability: 0)));
        Assert.AreEqual(100, Blended(new MixupOrCutmix()), 30);
        Assert.AreEqual(50, Blended(new MixupOrCutmix { Probability = 0.5 }), 25);
        Assert.AreEqual(0, Blended(new Mixup(1) { Probability = 0 }));
    }

    [TestMethod]
    public void WrongNumbersAndShapesAreRefused()
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor images, Tensor labels) = Batch();
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new Mixup(0));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new Cutmix(double.NaN));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new MixupOrCutmix(SwitchProbability: 2));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new Mixup(1) { Probability = -1 });
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => new Mixup(1).Apply(images, labels.narrow(0, 0, 2), 0)).Message, "[2, 6]");
    }

    /// <summary>Image i holds i everywhere and is of class i.</summary>
    private static (Tensor Images, Tensor Labels) Batch()
    {
        Tensor images = arange(Classes, ScalarType.Float32).reshape(Classes, 1, 1, 1).expand(Classes, 3, 16, 20).contiguous();
        return (images, LabelSmoothing.OneHot(arange(Classes), Classes));
    }
}
