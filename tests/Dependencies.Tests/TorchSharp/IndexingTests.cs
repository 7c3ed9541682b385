using TorchSharp;
using static TorchSharp.torch;

namespace Dependencies.Tests.Torch;

/// <summary>Reading and writing parts of tensors.</summary>
[TestClass]
public class IndexingTests
{
    [TestMethod]
    public void Numbers_slices_ellipsis_and_none_select_parts()
    {
        using var scope = NewDisposeScope();
        var x = arange(24, ScalarType.Float32).reshape(2, 3, 4);
        Values.AreClose([12, 13, 14, 15], x[1, 0]);
        Values.AreClose([8, 9, 10, 11], x[0][-1]);
        Values.AreClose([1, 3], x[0, 0, TensorIndex.Slice(1, null, 2)]);
        Values.AreClose([3, 7, 11, 15, 19, 23], x[TensorIndex.Ellipsis, -1]);
        Values.HasShape(x[TensorIndex.None], 1, 2, 3, 4);
        Values.HasShape(x[TensorIndex.Colon, 1..], 2, 2, 4);
        Values.HasShape(x[.., ^1], 2, 4);
    }

    [TestMethod]
    public void A_part_is_a_view_and_assignment_writes_through()
    {
        using var scope = NewDisposeScope();
        var x = zeros(2, 3);
        x[0].fill_(1);
        x[1, 2] = 5f;
        x[TensorIndex.Colon, TensorIndex.Single(0)] = tensor(new[] { 7f, 8f });
        Values.AreClose([7, 1, 1, 8, 0, 5], x);
    }

    [TestMethod]
    public void Tensors_of_indices_and_masks_gather()
    {
        using var scope = NewDisposeScope();
        var x = arange(6, ScalarType.Float32).reshape(3, 2);
        Values.AreClose([4, 5, 0, 1], x.index_select(0, tensor(new[] { 2L, 0L })));
        Values.AreClose([4, 5, 0, 1], x[tensor(new[] { 2L, 0L })]);
        Values.AreClose([3, 4, 5], x.masked_select(x.gt(2)));
        Values.AreClose([0, 3, 4], x.gather(1, tensor(new[] { 0L, 1L, 0L }, [3, 1])));
        Values.AreClose([1, 2, 4], x.take_along_dim(tensor(new[] { 1L, 0L, 0L }, [3, 1]), 1));
    }

    [TestMethod]
    public void Scatter_and_index_methods_write_in_place()
    {
        using var scope = NewDisposeScope();
        var x = zeros(2, 3);
        Assert.AreSame(x, x.scatter_(1, tensor(new[] { 2L, 0L }, [2, 1]), ones(2, 1)));
        Values.AreClose([0, 0, 1, 1, 0, 0], x);
        x.scatter_add_(1, tensor(new[] { 2L, 0L }, [2, 1]), ones(2, 1));
        Values.AreClose([0, 0, 2, 2, 0, 0], x);
        x.index_add_(0, tensor(new[] { 1L }), ones(1, 3), 2);
        Values.AreClose([0, 0, 2, 4, 2, 2], x);
        x.index_copy_(0, tensor(new[] { 0L }), full([1L, 3L], 9.0));
        Values.AreClose([9, 9, 9, 4, 2, 2], x);
        x.masked_fill_(x.gt(5), -1);
        Values.AreClose([-1, -1, -1, 4, 2, 2], x);
        x.index_put_(tensor(5f), TensorIndex.Single(1), TensorIndex.Single(0));
        Values.AreClose([-1, -1, -1, 5, 2, 2], x);
    }

    [TestMethod]
    public void Scatter_undoes_gather()
    {
        using var scope = NewDisposeScope();
        var order = tensor(new[] { 2L, 0L, 1L });
        var back = argsort(order);
        var x = tensor(new[] { 10f, 20f, 30f });
        Values.AreClose([10, 20, 30], x.gather(0, order).gather(0, back));
    }

    [TestMethod]
    public void Sorting_gives_values_and_where_they_were()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 3f, 1f, 2f });
        var (values, indices) = x.sort(descending: true);
        Values.AreClose([3, 2, 1], values);
        Values.AreEqual([0, 2, 1], indices);
        Values.AreEqual([1, 2, 0], x.argsort());
        var (top, where) = x.topk(2);
        Values.AreClose([3, 2], top);
        Values.AreEqual([0, 2], where);
        var (largest, at) = x.max(0);
        Assert.AreEqual(3f, largest.ToSingle());
        Assert.AreEqual(0L, at.ToInt64());
    }

    [TestMethod]
    public void A_mixture_of_index_kinds_compiles_and_throws()
    {
        using var x = zeros(2, 3);
        using var index = tensor(new[] { 0L });
        Assert.ThrowsExactly<InvalidOperationException>(() => x[TensorIndex.Colon, index]);
    }
}
