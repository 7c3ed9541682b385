using TorchSharp;
using static TorchSharp.torch;

namespace Dependencies.Tests.Torch;

/// <summary>Operations with a way back of their own.</summary>
[TestClass]
public class FunctionTests
{
    [TestMethod]
    public void Backward_gives_the_gradient_of_each_tensor_and_nothing_for_other_arguments()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1f, 2f }, requires_grad: true);
        var y = tensor(new[] { 3f, 5f }, requires_grad: true);
        Tensor z = ScaledProduct.apply(x * 1, 10.0, y);
        Values.AreClose([30, 100], z.detach());
        Assert.IsTrue(z.requires_grad);
        (z * tensor(new[] { 1f, 2f })).sum().backward();
        Values.AreClose([30, 100], x.grad!);
        Values.AreClose([10, 40], y.grad!);
    }

    [TestMethod]
    public void Forward_runs_without_a_graph_and_so_does_all_of_it_where_none_is_wanted()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 1f, 2f }, requires_grad: true);
        using (no_grad()) Assert.IsFalse(ScaledProduct.apply(x, 1.0, x).requires_grad);
        Assert.IsFalse(ScaledProduct.apply(x.detach(), 1.0, x.detach()).requires_grad);
        Assert.IsTrue(is_grad_enabled());
    }

    [TestMethod]
    public void What_was_saved_outlives_the_scope_of_the_forward()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 2f }, requires_grad: true);
        Tensor z;
        using (NewDisposeScope()) z = ScaledProduct.apply(x * 3, 1.0, x * 5).MoveToOuterDisposeScope();
        GC.Collect();
        z.backward();
        Values.AreClose([60], x.grad!);
    }

    [TestMethod]
    public void Each_use_has_a_context_of_its_own()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new[] { 2f }, requires_grad: true);
        Tensor product = ScaledProduct.apply(ScaledProduct.apply(x, 3.0, x), 5.0, x);   // 15 x^3
        Tensor gradient = autograd.grad([product], [x])[0];
        Values.AreClose([180], gradient);
    }

    [TestMethod]
    public void Gradients_are_made_on_several_threads_at_once()
    {
        var x = tensor(new[] { 2f }, requires_grad: true);
        Parallel.For(0, 8, _ =>
        {
            for (int i = 0; i < 50; i++)
            {
                using var scope = NewDisposeScope();
                Values.AreClose([12], autograd.grad([ScaledProduct.apply(x, 3.0, x)], [x])[0]);
            }
        });
        x.Dispose();
    }

    private sealed class ScaledProduct : autograd.SingleTensorFunction<ScaledProduct>
    {
        public override string Name => nameof(ScaledProduct);

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            Assert.IsFalse(is_grad_enabled());
            ctx.save_for_backward([(Tensor)vars[0], (Tensor)vars[2]]);
            ctx.save_data("scale", vars[1]);
            return (Tensor)vars[0] * (Tensor)vars[2] * (double)vars[1];
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        {
            List<Tensor> saved = ctx.get_saved_variables();
            double scale = (double)ctx.get_data("scale");
            return [grad_output * saved[1] * scale, null!, grad_output * saved[0] * scale];
        }
    }
}
