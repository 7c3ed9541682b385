using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dependencies.Tests.Torch;

/// <summary>Optimisers against steps worked out by hand.</summary>
[TestClass]
public class OptimizerTests
{
    [TestMethod]
    public void The_first_step_of_AdamW_is_the_learning_rate_against_the_sign()
    {
        using var scope = NewDisposeScope();
        var x = Weighted(1f, -2f);
        using var optimizer = optim.AdamW([x], lr: 0.1);
        Backward(x, 0.5f, -4f);
        optimizer.step();
        Values.AreClose([0.9f, -1.9f], x);
        Backward(x, 0.5f, 4f);
        optimizer.step();
        // m = (0.1·-4·0.9 + 0.1·4) / 0.19, v = (0.001·16·0.999 + 0.001·16) / 0.001999
        float m = (-0.36f + 0.4f) / 0.19f;
        Values.AreClose([0.8f, -1.9f - 0.1f * m / 4f], x, 1e-4);
    }

    [TestMethod]
    public void Weights_decay_in_AdamW_only_when_told_to()
    {
        using var scope = NewDisposeScope();
        var x = Weighted(1f);
        using var still = optim.AdamW([x], lr: 0.1);
        Backward(x, 0f);
        still.step();
        Values.AreClose([1], x);
        using var decaying = optim.AdamW([x], lr: 0.1, weight_decay: 0.5);
        decaying.step();
        Values.AreClose([0.95f], x);
    }

    [TestMethod]
    public void Adam_and_SGD_take_their_steps()
    {
        using var scope = NewDisposeScope();
        Parameter x = Weighted(1f), y = Weighted(1f);
        using var adam = optim.Adam([x], lr: 0.1);
        using var sgd = optim.SGD([y], 0.1, momentum: 0.9);
        for (int i = 0; i < 2; i++)
        {
            Backward(x, 2f);
            Backward(y, 2f);
            adam.step();
            sgd.step();
        }
        Values.AreClose([0.8f], x);
        Values.AreClose([1 - 0.2f - 0.1f * (1.8f + 2f)], y);
    }

    [TestMethod]
    public void Groups_have_rates_of_their_own_that_can_be_changed()
    {
        using var scope = NewDisposeScope();
        Parameter x = Weighted(1f), y = Weighted(1f);
        using var optimizer = optim.AdamW([new AdamW.ParamGroup([x], lr: 0.1), new AdamW.ParamGroup([y], lr: 0.01)]);
        foreach (var group in optimizer.ParamGroups) group.LearningRate *= 2;
        Backward(x, 1f);
        Backward(y, 1f);
        optimizer.step();
        Values.AreClose([0.8f], x);
        Values.AreClose([0.98f], y);
    }

    [TestMethod]
    public void Zero_grad_sets_gradients_to_zero()
    {
        using var scope = NewDisposeScope();
        var x = Weighted(1f);
        using var optimizer = optim.SGD([x], 0.1);
        Backward(x, 3f);
        optimizer.zero_grad();
        Values.AreClose([0], x.grad!);
    }

    [TestMethod]
    public void A_saved_state_continues_as_if_never_stopped()
    {
        using var scope = NewDisposeScope();
        Parameter x = Weighted(1f, 2f), y = Weighted(1f, 2f);
        using AdamW one = optim.AdamW([x], lr: 0.1), other = optim.AdamW([y], lr: 0.5);
        Backward(x, 1f, -2f);
        one.step();
        using (no_grad()) y.copy_(x);
        using var saved = new MemoryStream();
        one.save_state_dict(new BinaryWriter(saved));
        saved.Position = 0;
        other.load_state_dict(new BinaryReader(saved));
        foreach (var (parameter, optimizer) in new[] { (x, one), (y, other) })
        {
            Backward(parameter, 3f, 1f);
            optimizer.step();
        }
        Assert.IsTrue(x.allclose(y));
    }

    [TestMethod]
    public void Schedules_set_the_rate()
    {
        using var scope = NewDisposeScope();
        using var optimizer = optim.SGD([Weighted(1f)], 1.0);
        var schedule = optim.lr_scheduler.LambdaLR(optimizer, epoch => 1.0 / (1 + epoch));
        Assert.AreEqual(1.0, optimizer.ParamGroups.Single().LearningRate, 1e-9);
        schedule.step();
        Assert.AreEqual(0.5, optimizer.ParamGroups.Single().LearningRate, 1e-9);
    }

    private static Parameter Weighted(params float[] values) => new(tensor(values));

    private static void Backward(Parameter parameter, params float[] gradient)
    {
        parameter.grad?.zero_();
        (parameter * tensor(gradient)).sum().backward();
    }
}
