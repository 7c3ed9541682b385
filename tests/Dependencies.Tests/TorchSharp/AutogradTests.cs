using TorchSharp;
using static TorchSharp.torch;

namespace Dependencies.Tests.Torch;

/// <summary>Gradients.</summary>
[TestClass]
public class AutogradTests
{
    [TestMethod]
    public void Backward_gives_the_gradient_of_a_polynomial()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1f, 2f, 3f }, requires_grad: true);
        (x * x * 3 + x).sum().backward();
        Values.AreClose([7, 13, 19], x.grad!);
    }

    [TestMethod]
    public void Gradients_add_up_until_they_are_zeroed()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1f, 2f }, requires_grad: true);
        (x * 2).sum().backward();
        (x * 2).sum().backward();
        Values.AreClose([4, 4], x.grad!);
        x.grad!.zero_();
        Values.AreClose([0, 0], x.grad!);
        x.grad = null;
        Assert.IsNull(x.grad);
    }

    [TestMethod]
    public void A_gradient_set_to_a_view_accumulates_into_the_buffer_behind_it()
    {
        using var scope = NewDisposeScope();
        var buffer = zeros(4);
        var x = tensor(new[] { 1f, 2f }, requires_grad: true);
        x.grad = buffer.narrow(0, 2, 2);
        (x * 3).sum().backward();
        (x * x).sum().backward();
        Values.AreClose([0, 0, 5, 7], buffer);
    }

    [TestMethod]
    public void Each_read_of_the_gradient_is_another_object_for_the_same_data()
    {
        using var scope = NewDisposeScope();
        var x = ones(2, requires_grad: true);
        x.sum().backward();
        var first = x.grad!;
        var second = x.grad!;
        Assert.AreNotSame(first, second);
        first.mul_(5);
        Values.AreClose([5, 5], second);
    }

    [TestMethod]
    public void No_grad_records_nothing_and_ends_with_its_scope()
    {
        using var scope = NewDisposeScope();
        var x = ones(2, requires_grad: true);
        using (no_grad())
        {
            Assert.IsFalse(is_grad_enabled());
            Assert.IsFalse((x * 2).requires_grad);
            using (enable_grad()) Assert.IsTrue((x * 2).requires_grad);
        }
        Assert.IsTrue(is_grad_enabled());
        Assert.IsTrue((x * 2).requires_grad);
    }

    [TestMethod]
    public void Inference_mode_ends_with_its_scope()
    {
        using var scope = NewDisposeScope();
        var x = ones(2, requires_grad: true);
        using (inference_mode())
        {
            Assert.IsTrue(is_inference_mode_enabled());
            Assert.IsFalse((x * 2).requires_grad);
        }
        Assert.IsFalse(is_inference_mode_enabled());
    }

    [TestMethod]
    public void Detach_cuts_the_graph_and_shares_the_data()
    {
        using var scope = NewDisposeScope();
        var x = ones(2, requires_grad: true);
        var cut = x.detach();
        Assert.IsFalse(cut.requires_grad);
        Assert.IsTrue(x.is_leaf);
        Assert.IsFalse((x + 1).is_leaf);
        cut.fill_(3);
        Values.AreClose([3, 3], x);
    }

    [TestMethod]
    public void A_second_backward_needs_the_graph_retained()
    {
        using var scope = NewDisposeScope();
        var x = ones(2, requires_grad: true);
        var loss = (x * x).sum();
        loss.backward(retain_graph: true, create_graph: false);
        loss.backward();
        Values.AreClose([4, 4], x.grad!);
        Assert.ThrowsExactly<System.Runtime.InteropServices.ExternalException>(() => loss.backward());
    }

    [TestMethod]
    public void Autograd_grad_leaves_the_leaves_alone()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1f, 2f }, requires_grad: true);
        var grads = autograd.grad([(x * x).sum()], [x]);
        Values.AreClose([2, 4], grads[0]);
        Assert.IsNull(x.grad);
    }
}
