using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Dependencies.Tests.Torch;

/// <summary>Shapes: views, joining, broadcasting, and what is said when they do not fit.</summary>
[TestClass]
public class ShapeTests
{
    [TestMethod]
    public void Views_share_memory_and_copies_do_not()
    {
        using var scope = NewDisposeScope();
        var x = zeros(2, 3);
        Tensor view = x.view(3, 2), turned = x.permute(1, 0), copy = x.clone();
        x.fill_(1);
        Values.AreClose([1, 1, 1, 1, 1, 1], view);
        Values.AreClose([1, 1, 1, 1, 1, 1], turned);
        Values.AreClose([0, 0, 0, 0, 0, 0], copy);
        Assert.IsFalse(turned.is_contiguous());
        CollectionAssert.AreEqual(new long[] { 1, 3 }, turned.stride());
        Assert.IsTrue(turned.contiguous().is_contiguous());
    }

    [TestMethod]
    public void A_view_that_does_not_fit_throws_what_libtorch_says()
    {
        using var x = zeros(2, 3);
        var thrown = Assert.ThrowsExactly<ExternalException>(() => x.view(4, 2));
        Assert.Contains("shape '[4, 2]' is invalid for input of size 6", thrown.Message);
    }

    [TestMethod]
    public void Shapes_that_do_not_broadcast_throw_what_libtorch_says()
    {
        using Tensor x = zeros(2), y = zeros(3);
        var thrown = Assert.ThrowsExactly<ExternalException>(() => x + y);
        Assert.Contains("must match the size of tensor b (3)", thrown.Message);
        Values.AreClose([0, 0], x);
    }

    [TestMethod]
    public void Joining_and_splitting()
    {
        using var scope = NewDisposeScope();
        Tensor x = ones(2, 2), y = zeros(1, 2);
        Values.HasShape(cat([x, y], 0), 3, 2);
        Values.HasShape(stack([x, x], 1), 2, 2, 2);
        var parts = arange(5, ScalarType.Float32).split([2L, 3L], 0);
        Assert.HasCount(2, parts);
        Values.AreClose([2, 3, 4], parts[1]);
        Assert.HasCount(3, arange(6).chunk(3));
        Assert.HasCount(2, x.unbind(0));
        Values.HasShape(meshgrid([arange(2), arange(3)], indexing: "ij")[0], 2, 3);
        Assert.ThrowsExactly<ArgumentException>(() => cat(Array.Empty<Tensor>()));
    }

    [TestMethod]
    public void Broadcasting_adds_rows_to_columns()
    {
        using var scope = NewDisposeScope();
        var sum = arange(2, ScalarType.Float32).unsqueeze(1) + arange(3, ScalarType.Float32);
        Values.HasShape(sum, 2, 3);
        Values.AreClose([0, 1, 2, 1, 2, 3], sum);
        Values.HasShape(ones(1, 3).expand(4, -1), 4, 3);
        Values.HasShape(ones(2, 1, 3).squeeze(1), 2, 3);
        Values.AreClose([1, 1, 2, 2], tensor(new[] { 1f, 2f }).repeat_interleave(2));
    }

    [TestMethod]
    public void Flatten_and_unflatten_are_opposites()
    {
        using var scope = NewDisposeScope();
        var x = arange(24).reshape(2, 3, 4);
        var flat = x.flatten(1);
        Values.HasShape(flat, 2, 12);
        Values.HasShape(flat.unflatten(1, 3, 4), 2, 3, 4);
        Assert.IsTrue(flat.unflatten(1, 3, 4).Equals(x));
    }

    [TestMethod]
    public void Patches_of_an_image_are_a_permuted_view_of_it()
    {
        using var scope = NewDisposeScope();
        var image = arange(16, ScalarType.Float32).reshape(1, 1, 4, 4);
        var patches = image.reshape(1, 1, 2, 2, 2, 2).permute(0, 2, 4, 3, 5, 1).reshape(1, 4, 4);
        Values.AreClose([0, 1, 4, 5], patches[0, 0]);
        var unfolded = nn.functional.unfold(image, 2, stride: 2);
        Values.AreClose([0, 1, 4, 5], unfolded[0, TensorIndex.Colon, 0]);
        Assert.IsTrue(nn.functional.fold(unfolded, (4, 4), (2, 2), stride: (2, 2)).allclose(image));
    }
}
