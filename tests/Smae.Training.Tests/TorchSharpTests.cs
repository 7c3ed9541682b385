using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>
/// What Smae relies on in TorchSharp and no documentation promises: where one of these fails after an update, what is named there needs another way.
/// </summary>
[TestClass]
public sealed class TorchSharpTests
{
    /// <summary>The optimisers: they keep all weights in one buffer and all gradients in another.</summary>
    [TestMethod]
    public void A_parameter_set_to_a_view_shares_its_memory_and_a_gradient_set_to_one_accumulates_there()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor weights = zeros(4), gradients = zeros(4);
        var parameter = new Parameter(tensor(new[] { 1f, 2f }));
        using (no_grad())
        {
            Tensor place = weights.narrow(0, 2, 2);
            place.copy_(parameter);
            parameter.set_(place);
            parameter.grad = gradients.narrow(0, 2, 2);
        }
        (parameter * 3).sum().backward();
        (parameter * parameter).sum().backward();
        AreClose([0, 0, 5, 7], gradients);
        using (no_grad()) weights.fill_(8);
        AreClose([8, 8], parameter);
        Assert.IsTrue(parameter.is_leaf);
    }

    /// <summary>Threads that each make gradients of the same weights, of which a loss may not use all.</summary>
    [TestMethod]
    public void Gradients_that_are_asked_for_leave_the_parameters_own_alone_and_may_be_missing()
    {
        using DisposeScope scope = NewDisposeScope();
        var used = new Parameter(ones(2));
        var unused = new Parameter(ones(2));
        IList<Tensor> made = autograd.grad([(used * 3).sum()], [used, unused], allow_unused: true);
        AreClose([3, 3], made[0]);
        Assert.IsFalse(made[1] is { IsInvalid: false });
        Assert.IsNull(used.grad);
    }

    /// <summary>Operations with a backward pass of ours: it runs when the scope of the forward pass is gone.</summary>
    [TestMethod]
    public void What_a_function_saved_outlives_the_scope_of_its_forward_pass()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = tensor(new[] { 2f }, requires_grad: true), z;
        using (NewDisposeScope()) z = ScaledProduct.apply(x * 3, 1.0, x * 5).MoveToOuterDisposeScope();
        GC.Collect();
        z.backward();
        AreClose([60], x.grad!);
    }

    /// <summary>The same on several threads.</summary>
    [TestMethod]
    public void Functions_have_a_context_for_each_use_on_several_threads_at_once()
    {
        using Tensor x = tensor(new[] { 2f }, requires_grad: true);
        Parallel.For(0, 8, _ =>
        {
            for (int i = 0; i < 50; i++)
            {
                using DisposeScope scope = NewDisposeScope();
                Tensor product = ScaledProduct.apply(ScaledProduct.apply(x, 3.0, x), 5.0, x);   // 15 x^3
                AreClose([180], autograd.grad([product], [x])[0]);
            }
        });
    }

    private static void AreClose(float[] expected, Tensor actual)
    {
        float[] values = actual.detach().data<float>().ToArray();
        Assert.HasCount(expected.Length, values);
        for (int i = 0; i < expected.Length; i++) Assert.AreEqual(expected[i], values[i], 1e-4f);
    }

    private sealed class ScaledProduct : autograd.SingleTensorFunction<ScaledProduct>
    {
        public override string Name => nameof(ScaledProduct);

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
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
