using TorchSharp;
using static TorchSharp.torch;

namespace Dependencies.Tests.Torch;

/// <summary>New tensors: type, shape, memory.</summary>
[TestClass]
public class CreationTests
{
    [TestMethod]
    public void Element_types_follow_from_the_data_unless_given()
    {
        using var scope = NewDisposeScope();
        Assert.AreEqual(ScalarType.Float32, tensor(1f).dtype);
        Assert.AreEqual(ScalarType.Float64, tensor(1.0).dtype);
        Assert.AreEqual(ScalarType.Int64, tensor(1L).dtype);
        Assert.AreEqual(ScalarType.Int32, tensor(new[] { 1 }).dtype);
        Assert.AreEqual(ScalarType.Byte, tensor(new byte[] { 1 }).dtype);
        Assert.AreEqual(ScalarType.Bool, tensor(new[] { true }).dtype);
        Assert.AreEqual(ScalarType.Float16, tensor(new[] { 1f }, dtype: ScalarType.Float16).dtype);
        Assert.AreEqual(ScalarType.Float32, zeros(2).dtype);
        Assert.AreEqual(ScalarType.Int64, arange(3).dtype);
        Assert.AreEqual(ScalarType.Float32, arange(0, 1, 0.5).dtype);
        Assert.AreEqual(ScalarType.Int64, full([2L], 1).dtype);
        Assert.AreEqual(ScalarType.Float32, full([2L], 1.0).dtype);
    }

    [TestMethod]
    public void Arrays_of_any_rank_keep_their_order()
    {
        using var scope = NewDisposeScope();
        var matrix = tensor(new[,] { { 1f, 2f, 3f }, { 4f, 5f, 6f } });
        Values.HasShape(matrix, 2, 3);
        Values.AreClose([1, 2, 3, 4, 5, 6], matrix);
        Values.AreClose([1, 4, 2, 5, 3, 6], matrix.t());
        Values.HasShape(tensor(new[] { 1f, 2f, 3f, 4f }, [2, 2]), 2, 2);
    }

    [TestMethod]
    public void A_tensor_of_an_array_is_a_copy_and_one_from_an_array_shares_it()
    {
        using var scope = NewDisposeScope();
        float[] data = [1, 2, 3];
        var copy = tensor(data);
        var shared = from_array(data);
        var buffer = frombuffer(data, ScalarType.Float32, count: 2, offset: 1);
        data[1] = 9;
        Values.AreClose([1, 2, 3], copy);
        Values.AreClose([1, 9, 3], shared);
        Values.AreClose([9, 3], buffer);
    }

    [TestMethod]
    public void Bytes_are_the_memory_of_a_contiguous_tensor()
    {
        using var x = tensor(new[] { 1f, 2f });
        Assert.AreEqual(8, x.bytes.Length);
        System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(x.bytes)[0] = 7;
        Values.AreClose([7, 2], x);
        using var other = zeros(2);
        other.bytes = x.bytes;
        Values.AreClose([7, 2], other);
        using var matrix = zeros(2, 3);
        using var turned = matrix.t();
        Assert.ThrowsExactly<InvalidOperationException>(() => { _ = turned.bytes; });
    }

    [TestMethod]
    public void The_accessor_reads_and_writes_elements_in_the_order_of_indices()
    {
        using var scope = NewDisposeScope();
        var x = arange(6, ScalarType.Float32).reshape(2, 3);
        var turned = x.t();
        CollectionAssert.AreEqual(new float[] { 0, 3, 1, 4, 2, 5 }, turned.data<float>().ToArray());
        Assert.AreEqual(4f, turned.data<float>()[1, 1]);
        turned.data<float>()[2, 0] = 20;
        Assert.AreEqual(20f, x[0, 2].item<float>());
        var target = new float[4];
        x.data<float>().CopyTo(target, 1, 3);
        CollectionAssert.AreEqual(new float[] { 0, 3, 4, 5 }, target);
        Assert.ThrowsExactly<ArgumentException>(() => x.data<double>());
        Assert.ThrowsExactly<ArgumentException>(() => x.item<float>());
    }

    [TestMethod]
    public void Copy_converts_and_broadcasts()
    {
        using var scope = NewDisposeScope();
        var x = zeros(2, 2);
        Assert.AreSame(x, x.copy_(tensor(new[] { 1, 2 })));
        Values.AreClose([1, 2, 1, 2], x);
    }

    [TestMethod]
    public void To_the_same_type_is_another_object_for_the_same_data_unless_copied()
    {
        using var scope = NewDisposeScope();
        var x = zeros(2);
        var same = x.to_type(ScalarType.Float32);
        var copy = x.to_type(ScalarType.Float32, copy: true);
        x.fill_(1);
        Assert.AreNotSame(x, same);
        Values.AreClose([1, 1], same);
        Values.AreClose([0, 0], copy);
    }

    [TestMethod]
    public void Set_points_a_tensor_at_the_memory_of_another()
    {
        using var scope = NewDisposeScope();
        Tensor x = zeros(2), y = ones(3);
        x.set_(y);
        y.fill_(4);
        Values.AreClose([4, 4, 4], x);
    }
}
