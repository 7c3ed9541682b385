using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

[TestClass]
public class OptimizationTests
{
    [TestMethod]
    public void FlatAdamWTakesTheStepsOfPyTorchsAdamW()
    {
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator(1);   // by chance a parameter can come to lie next to 0, where the rounding of its steps is no small share of it
        Tensor[] start = [.. ((long[][])[[4, 3], [5], [2, 2, 2], [1]]).Select(shape => randn(shape, generator: generator))];
        Parameter[] ours = [.. start.Select(t => new Parameter(t.clone()))], theirs = [.. start.Select(t => new Parameter(t.clone()))];
        using var flat = new AdamW([new([ours[0], ours[2]], 0.1), new([ours[1], ours[3]], 0)], 0.9, 0.95);
        using var decayed = optim.AdamW([theirs[0], theirs[2]], 0.01, 0.9, 0.95, weight_decay: 0.1);
        using var plain = optim.AdamW([theirs[1], theirs[3]], 0.01, 0.9, 0.95, weight_decay: 0);
        for (int step = 0; step < 5; step++)
        {
            flat.ZeroGrad();
            decayed.zero_grad();
            plain.zero_grad();
            Loss(ours).backward();
            Loss(theirs).backward();
            flat.Step(0.01);
            decayed.step();
            plain.step();
        }
        for (int i = 0; i < ours.Length; i++) Close.To(theirs[i], ours[i], 1e-6, $"parameter {i}");
        Assert.AreEqual(5, flat.StepCount);

        static Tensor Loss(Parameter[] p) => p.Select(t => (t.sin() * t).sum()).Aggregate((a, b) => a + b);
    }

    [TestMethod]
    public void AFrozenGroupBeginsAfterItsStepsAsIfTheyHadNotBeen()
    {
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator(1);
        Tensor start = randn([4, 3], generator: generator);
        Parameter late = new(start.clone()), free = new(randn(5)), theirs = new(start.clone());
        using var flat = new AdamW([new([late], 0.1, FrozenSteps: 3), new([free], 0)], 0.9, 0.95);
        using var plain = optim.AdamW([theirs], 0.01, 0.9, 0.95, weight_decay: 0.1);
        for (int step = 0; step < 7; step++)
        {
            flat.ZeroGrad();
            plain.zero_grad();
            (late.sin().sum() + free.cos().sum()).backward();
            theirs.sin().sum().backward();
            flat.Step(0.01);
            if (step < 3) Assert.IsTrue(late.Equals(start), $"step {step}");
            else plain.step();
        }
        Close.To(theirs, late, 1e-6, "after four steps of its own");

        Parameter still = new(start.clone());
        using var lars = new Lars([new([still], 0.1, FrozenSteps: 1)]);
        still.sum().backward();
        lars.Step(1);
        Assert.IsTrue(still.Equals(start));
        Assert.AreEqual(0, lars.State.Single().Tensor.abs().sum().ToDouble());
    }

    [TestMethod]
    public void AGroupsOwnRateScalesItsSteps()
    {
        using DisposeScope scope = NewDisposeScope();
        Parameter fast = new(ones(3)), slow = new(ones(3));
        using var optimizer = new AdamW([new([fast], 0), new([slow], 0, LearningRateScale: 0.1)]);
        (fast.sum() + slow.sum()).backward();
        optimizer.Step(0.5);
        Assert.AreEqual(0.5f, fast[0].ToSingle(), 1e-5f);    // the first step of Adam is as long as the rate
        Assert.AreEqual(0.95f, slow[0].ToSingle(), 1e-5f);
    }

    [TestMethod]
    public void OnlyTensorsOfTwoAndMoreDimensionsDecay()
    {
        using var model = new VisionTransformer(TinyModels.Encoder);
        IReadOnlyList<ParameterGroup> groups = ParameterGroup.Of(model, 0.05);
        Assert.IsTrue(groups[0].WeightDecay == 0.05 && groups[0].Parameters.All(p => p.dim() >= 2));
        Assert.IsTrue(groups[1].WeightDecay == 0 && groups[1].Parameters.All(p => p.dim() == 1));
        Assert.AreEqual(model.parameters().Count(), groups.Sum(g => g.Parameters.Count));
    }

    [TestMethod]
    public void AModelInFlatBuffersStillComputesTheSame()
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new VisionTransformer(TinyModels.Encoder);
        Tensor images = randn(2, 3, 16, 16), before = model.forward(images).detach();
        using (var optimizer = new AdamW(ParameterGroup.Of(model, 0.05)))
            Assert.IsTrue(model.forward(images).Equals(before));
        Assert.IsTrue(model.forward(images).Equals(before), "after the optimiser is gone");
    }

    [TestMethod]
    public void TheRateRisesLinearlyAndFallsByHalfACosine()
    {
        var schedule = new CosineSchedule(Peak: 1, WarmupSteps: 10, TotalSteps: 110, Minimum: 0.1);
        Assert.AreEqual(0, schedule.At(0));
        Assert.AreEqual(0.5, schedule.At(5), 1e-12);
        Assert.AreEqual(1, schedule.At(10), 1e-12);
        Assert.AreEqual(0.55, schedule.At(60), 1e-12);
        Assert.AreEqual(0.1, schedule.At(110), 1e-12);
        Assert.AreEqual(1, new CosineSchedule(1, 0, 10).At(0), 1e-12);
        CosineSchedule dino = schedule with { WarmupIncludesPeak = true };
        CollectionAssert.AreEqual((double[])[0, 1, 1], (double[])[dino.At(0), dino.At(9), dino.At(10)]);
        Assert.AreEqual(0, (dino with { WarmupSteps = 1 }).At(0));
    }
}
