using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>What holds for every augmentation.</summary>
[TestClass]
public class AugmentationTests
{
    private static readonly Dictionary<string, Augmentation> s_all = new()
    {
        ["flip"] = Augmentation.HorizontalFlip(),
        ["resized crop"] = Augmentation.RandomResizedCrop(0.2),
        ["bilinear crop"] = Augmentation.RandomResizedCrop(0.2, interpolation: Interpolation.Bilinear),
        ["crop"] = Augmentation.RandomCrop(),
        ["zero crop"] = Augmentation.RandomCrop(3, reflect: false),
        ["RandAugment"] = Augmentation.RandAugment(),
        ["RandAugment, timm"] = Augmentation.RandAugmentIncreasing(),
        ["3-Augment"] = Augmentation.ThreeAugment(),
        ["colours"] = Augmentation.ColorJitter(0.4, 0.4, 0.4, 0.2),
        ["grey"] = Augmentation.Grayscale(0.5),
        ["solarise"] = Augmentation.Solarize(),
        ["blur"] = Augmentation.GaussianBlur(0.1, 3),
        ["some"] = Augmentation.RandomApply(Augmentation.RandomCrop().Then(Augmentation.ColorJitter(0.4, 0.4, 0.2, 0.1))),
        ["erasing"] = Augmentation.RandomErasing(0.5, fill: ErasingFill.Zero),
        ["sequence"] = Augmentation.RandomResizedCrop(0.6).Then(Augmentation.HorizontalFlip()).Then(Augmentation.RandAugment(2, 9)),
    };

    public static IEnumerable<object[]> Names => s_all.Keys.Select(name => new object[] { name });

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void TheSeedDecidesAndNothingElse(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor images = Images(16, 3, 20, 24), before = images.clone();
        Tensor first = s_all[name].Apply(images, 5);
        Assert.IsTrue(images.Equals(before), "the images given are left as they are");
        Assert.IsTrue(first.Equals(s_all[name].Apply(images, 5)));
        Assert.IsFalse(first.Equals(s_all[name].Apply(images, 6)));
        Assert.IsTrue(first.Equals(s_all[name].Apply(images.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), 5)), "channels last in memory");
    }

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void ImagesOfOneBatchAreChangedEachInItsOwnWay(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor images = Images(1, 3, 20, 24).repeat(16, 1, 1, 1), changed = s_all[name].Apply(images, 1);
        Assert.IsGreaterThan(0, Enumerable.Range(1, 15).Count(i => !changed[i].Equals(changed[0])));
    }

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void ShapeAndRangeStayForColourAndGrey(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (long[] shape in new long[][] { [32, 3, 16, 16], [8, 1, 9, 17], [1, 3, 8, 8] })
        {
            Tensor changed = s_all[name].Apply(Images(shape), 3);
            CollectionAssert.AreEqual(shape, changed.shape);
            Assert.AreEqual(ScalarType.Float32, changed.dtype);
            Assert.IsTrue(changed.isfinite().all().ToBoolean());
            Assert.IsTrue(changed.ge(0).all().ToBoolean() && changed.le(1).all().ToBoolean());
        }
    }

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void OneTensorIsLeftBehindAndItIsTheResult(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor images = Images(8, 3, 16, 16);
        int before = scope.DisposablesCount;
        Tensor result = s_all[name].Apply(images, 2);
        Assert.AreEqual(before + 1, scope.DisposablesCount);
        Assert.IsTrue(scope.Contains(result));
    }

    [TestMethod]
    public void WhatDoesNothingGivesTheSamePixelsInAnotherTensor()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor images = Images(6, 3, 12, 12);
        Augmentation[] idle =
        [
            Augmentation.Sequence(), Augmentation.HorizontalFlip(0), Augmentation.RandomCrop(0), Augmentation.ColorJitter(),
            Augmentation.RandAugment(0), Augmentation.RandomErasing(0), Augmentation.RandomResizedCrop(1, 1, 1, 1),
            Augmentation.RandAugmentIncreasing(probability: 0), Augmentation.Grayscale(0), Augmentation.Solarize(0),
            Augmentation.GaussianBlur(probability: 0), Augmentation.RandomApply(Augmentation.HorizontalFlip(1), 0),
            Augmentation.RandomApply(Augmentation.HorizontalFlip(0), 1),
        ];
        foreach (Augmentation augmentation in idle)
        {
            Tensor result = augmentation.Apply(images, 4);
            Assert.AreNotSame(images, result);
            Close.To(images, result, 1e-6, augmentation.ToString());
        }
    }

    [TestMethod]
    public void ASequenceDoesItsStepsInOrderAndIsAValue()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor images = Images(4, 3, 12, 12);
        Augmentation flip = Augmentation.HorizontalFlip(1), crop = Augmentation.RandomCrop(2);
        Tensor cropped = crop.Apply(images, RandomSequence.OfImages(9, 0, 4));
        RandomSequence[] random = RandomSequence.OfImages(9, 0, 4);
        Assert.IsTrue(crop.Then(Augmentation.HorizontalFlip(1)).Apply(images, random).Equals(cropped.flip(3)));
        Assert.AreEqual(Augmentation.Sequence(flip, crop, flip), flip.Then(crop).Then(flip));
        Assert.AreEqual(Augmentation.Sequence(flip, crop).GetHashCode(), flip.Then(crop).GetHashCode());
        Assert.AreNotEqual(Augmentation.Sequence(flip, crop), Augmentation.Sequence(crop, flip));
        StringAssert.Contains(flip.Then(crop).ToString(), "Padding = 2");
    }

    [TestMethod]
    public void NumbersOutsideTheirRangeAreRefusedByName()
    {
        static void Refused(string name, Func<object> make) =>
            StringAssert.Contains(Assert.ThrowsExactly<ArgumentOutOfRangeException>(make).Message, name);
        Refused("probability", () => Augmentation.HorizontalFlip(1.5));
        Refused("minScale", () => Augmentation.RandomResizedCrop(0));
        Refused("maxScale", () => Augmentation.RandomResizedCrop(0.5, 1.1));
        Refused("maxRatio", () => Augmentation.RandomResizedCrop(0.5, 1, 2, 1));
        Refused("padding", () => Augmentation.RandomCrop(-1));
        Refused("magnitude", () => Augmentation.RandAugment(2, 31));
        Refused("bins", () => Augmentation.RandAugment(2, 0, 1));
        Refused("magnitude", () => Augmentation.RandAugmentIncreasing(2, 11));
        Refused("hue", () => Augmentation.ColorJitter(hue: 0.6));
        Refused("brightness", () => Augmentation.ColorJitter(double.NaN));
        Refused("probability", () => Augmentation.RandomErasing(-0.1));
        Refused("probability", () => Augmentation.Grayscale(-0.1));
        Refused("threshold", () => Augmentation.Solarize(threshold: 1.1));
        Refused("minDeviation", () => Augmentation.GaussianBlur(0, 2));
        Refused("maxDeviation", () => Augmentation.GaussianBlur(2, 1));
        Refused("probability", () => Augmentation.RandomApply(Augmentation.HorizontalFlip(), 2));
    }

    [TestMethod]
    public void ImagesThatAreNoneAreRefused()
    {
        using DisposeScope scope = NewDisposeScope();
        static void Refused(string part, Augmentation augmentation, Tensor images) =>
            StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => augmentation.Apply(images, 0)).Message, part);
        Augmentation flip = Augmentation.HorizontalFlip();
        Refused("[3, 8, 8]", flip, zeros(3, 8, 8));
        Refused("Byte", flip, zeros(1, 3, 8, 8, ScalarType.Byte));
        Refused("4 channels", Augmentation.RandAugment(), zeros(1, 4, 8, 8));
        Refused("4x8", Augmentation.RandomCrop(), zeros(1, 3, 4, 8));
        Refused("2 channels", Augmentation.Grayscale(1), zeros(1, 2, 8, 8));
        Assert.ThrowsExactly<ArgumentException>(() => Augmentation.Sequence(flip, null!));
        Assert.ThrowsExactly<ArgumentNullException>(() => Augmentation.RandomApply(null!));
    }

    /// <summary>Images as a store gives them: multiples of 1/255.</summary>
    private static Tensor Images(params long[] shape)
    {
        using var generator = new Generator(1);
        return randint(0, 256, shape, ScalarType.Float32, generator: generator) / 255;
    }
}
