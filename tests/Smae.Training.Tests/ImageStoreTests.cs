using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

[TestClass]
public class ImageStoreTests
{
    [TestMethod]
    public void ABatchHoldsTheImagesAskedForInThatOrder()
    {
        using var store = new ImageStore(2, 3);
        for (int i = 0; i < 10; i++) store.Add().Fill((byte)i);
        using Tensor batch = store.Batch([7, 0, 7, 9]);
        CollectionAssert.AreEqual(new long[] { 4, 2, 3, 3 }, batch.shape);
        CollectionAssert.AreEqual(new byte[] { 7, 0, 7, 9 }, batch.select(1, 0).select(1, 0).select(1, 0).data<byte>().ToArray());
    }

    [TestMethod]
    public void ManyLargeImagesSpanSeveralBlocksOfMemory()
    {
        using var store = new ImageStore(2048, 2048);   // 12 MB each, 5 to a block
        for (int i = 0; i < 12; i++) store.Add()[^1] = (byte)(i + 1);
        for (int i = 0; i < 12; i++) Assert.AreEqual(i + 1, store[i][^1]);
    }

    [TestMethod]
    public void WrongSizesIndicesAndUseAfterDisposalAreRefused()
    {
        var store = new ImageStore(2, 2);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => store.Add(new byte[11])).Message, "12 bytes, not 11");
        store.Add(new byte[12]);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => store[1].Length);
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => new ImageStore(0, 2));
        store.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => store[0].Length);
    }

    [TestMethod]
    public void NormalisingSubtractsTheMeanAndDividesByTheDeviationOfEachChannel()
    {
        using DisposeScope scope = NewDisposeScope();
        var preprocessing = new ImagePreprocessing { Height = 1, Width = 2, Mean = [0, 0.5f, 1], StandardDeviation = [1, 0.5f, 0.25f] };
        using var normalizer = new ImageNormalizer(preprocessing, CPU);
        Tensor bytes = tensor((byte[])[0, 255, 255, 51, 0, 0], [1, 1, 2, 3]);
        Tensor normal = normalizer.Normalize(bytes);
        CollectionAssert.AreEqual(new long[] { 1, 3, 1, 2 }, normal.shape);
        float[] expected = [0, 0.2f, 1, -1, 0, -4];
        float[] actual = normal.contiguous().data<float>().ToArray();
        for (int i = 0; i < expected.Length; i++) Assert.AreEqual(expected[i], actual[i], 1e-5);
        Assert.IsTrue(normalizer.ToBytes(normal).Equals(bytes));
    }

    [TestMethod]
    public void PreprocessingDefaultsToImageNetAndComparesByValue()
    {
        var one = new ImagePreprocessing { Height = 4, Width = 4 };
        CollectionAssert.AreEqual((float[])[0.485f, 0.456f, 0.406f], one.Mean.ToArray());
        Assert.AreEqual(one, new ImagePreprocessing { Height = 4, Width = 4, Mean = [0.485f, 0.456f, 0.406f] });
        Assert.AreNotEqual(one, one with { Mean = [0, 0, 0] });
        Assert.HasCount(1, (one with { Channels = 1 }).Mean);
    }
}
