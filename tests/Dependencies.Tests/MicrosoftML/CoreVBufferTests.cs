using Microsoft.ML.Data;

namespace Dependencies.Tests.MicrosoftML;

[TestClass]
public sealed class CoreVBufferTests
{
    private static readonly VBuffer<float> Sparse = new(6, 2, [10f, 20f], [1, 4]);

    [TestMethod]
    public void Sparse_vectors_have_defaults_between_their_values()
    {
        Assert.IsFalse(Sparse.IsDense);
        CollectionAssert.AreEqual(new[] { 0f, 10, 0, 0, 20, 0 }, Sparse.DenseValues().ToArray());
        Assert.AreEqual(20, Sparse.GetItemOrDefault(4));
        Assert.AreEqual(0, Sparse.GetItemOrDefault(5));
        CollectionAssert.AreEqual(new[] { 1, 4 }, Sparse.Items().Select(i => i.Key).ToArray());
        Assert.AreEqual(6, Sparse.Items(all: true).Count());
        Assert.AreEqual("Sparse vector of size 6, 2 explicit values", Sparse.ToString());
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Sparse.GetItemOrDefault(6));
    }

    [TestMethod]
    public void Copies_may_be_dense_or_partial()
    {
        VBuffer<float> dense = default;
        Sparse.CopyToDense(ref dense);
        Assert.IsTrue(dense.IsDense);
        Assert.AreEqual("Dense vector of size 6", dense.ToString());
        VBuffer<float> part = default;
        Sparse.CopyTo(ref part, 3, 2);
        CollectionAssert.AreEqual(new[] { 0f, 20 }, part.DenseValues().ToArray());
        var target = new float[8];
        Sparse.CopyTo(target, 1, -1);
        CollectionAssert.AreEqual(new[] { 0f, -1, 10, -1, -1, 20, -1, 0 }, target);
    }

    [TestMethod]
    public void An_editor_reuses_arrays_that_are_long_enough()
    {
        float[] values = [1, 2, 3, 4];
        var buffer = new VBuffer<float>(4, values);
        VBufferEditor<float> editor = VBufferEditor.Create(ref buffer, 3);
        Assert.IsFalse(editor.CreatedNewValues);
        editor.Values[0] = 9;
        VBuffer<float> shorter = editor.Commit();
        Assert.AreEqual(9, values[0]);
        Assert.AreEqual(3, shorter.Length);
        VBufferEditor<float> longer = VBufferEditor.Create(ref buffer, 5);
        Assert.IsTrue(longer.CreatedNewValues);
        Assert.AreEqual(5, longer.Values.Length);
        VBufferEditor<float> sparse = VBufferEditor.Create(ref buffer, 10, 2);
        sparse.Indices[0] = 7;
        Assert.AreEqual(1, sparse.CommitTruncated(1).GetValues().Length);
    }
}
