using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

[TestClass]
public class SemanticObjectiveTests
{
    [TestMethod]
    public void AlphaZeroOverHiddenPatchesIsThePixelLossOfMae() => With((model, images, mask) =>
    {
        using var critic = new CountingCritic();
        using ObjectiveRun run = (Objective.Semantic(0, critic) with { HiddenOnly = true }).Begin(model);
        Tensor expected = Objective.Pixel(normalizePatches: false).Loss(model.forward(images, mask));
        Assert.AreEqual(expected.ToDouble(), run.Loss(images, mask).ToDouble());
        Assert.IsEmpty(critic.Seen);
    });

    [TestMethod]
    public void AlphaOneIsTheFeaturesAlone() => With((model, images, mask) =>
    {
        using var critic = new CountingCritic();
        using ObjectiveRun run = Objective.Semantic(1, critic).Begin(model);
        Tensor first = run.Loss(images, mask);
        (Tensor pixel, Tensor perceptual) = Losses(model, critic, images, mask);
        Assert.AreEqual(pixel.ToDouble(), first.ToDouble(), 1e-6);   // c makes the features of the first batch weigh what its pixels do
        first.backward();
        Tensor[] gradients = [.. Gradients(model)];
        model.zero_grad();
        (perceptual * (pixel / perceptual).detach()).backward();
        foreach ((Tensor expected, Tensor actual) in Gradients(model).Zip(gradients)) Close.To(expected, actual, 1e-5, "gradient");
    });

    [TestMethod]
    public void TheScaleOfTheFirstBatchStays() => With((model, images, mask) =>
    {
        using var critic = new CountingCritic();
        using ObjectiveRun run = Objective.Semantic(0.3, critic).Begin(model);
        run.Loss(images, mask);
        (Tensor firstPixel, Tensor firstPerceptual) = Losses(model, critic, images, mask);
        Tensor others = images * 0.3 + 0.5;
        (Tensor pixel, Tensor perceptual) = Losses(model, critic, others, mask);
        double c = firstPixel.ToDouble() / firstPerceptual.ToDouble();
        Assert.AreEqual(0.7 * pixel.ToDouble() + 0.3 * c * perceptual.ToDouble(), run.Loss(others, mask).ToDouble(), 1e-5);
    });

    [TestMethod]
    public void CalibratedScalesByTheMeanOfTheInversesOfTheFirstBatches() => With((model, images, mask) =>
    {
        using var critic = new CountingCritic();
        SemanticObjective objective = Objective.Semantic(0.25, critic) with { Scale = PerceptualScale.Calibrated, CalibrationBatches = 2 };
        using ObjectiveRun run = objective.Begin(model);
        var inverses = new List<(double Pixel, double Perceptual)>();
        for (int batch = 0; batch < 4; batch++)
        {
            Tensor shown = images * (1 + 0.5 * batch);
            (Tensor pixel, Tensor perceptual) = Losses(model, critic, shown, mask);
            if (batch < 2) inverses.Add((1 / pixel.ToDouble(), 1 / perceptual.ToDouble()));
            double expected = 0.75 * pixel.ToDouble() * inverses.Average(i => i.Pixel)
                + 0.25 * perceptual.ToDouble() * inverses.Average(i => i.Perceptual);
            Assert.AreEqual(expected, run.Loss(shown, mask).ToDouble(), 1e-5 * expected, $"batch {batch}");
        }
    });

    [TestMethod]
    public void UncertaintyWeighsByLogVariancesThatAreTrained() => With((model, images, mask) =>
    {
        using var critic = new CountingCritic();
        using ObjectiveRun run = (Objective.Semantic(0.5, critic) with { Scale = PerceptualScale.Uncertainty }).Begin(model);
        (Tensor pixel, Tensor perceptual) = Losses(model, critic, images, mask);
        double expected = 0.5 * (pixel.ToDouble() * Math.E - 1) + 0.5 * (perceptual.ToDouble() * Math.Exp(6) - 6);
        Tensor loss = run.Loss(images, mask);
        Assert.AreEqual(expected, loss.ToDouble(), 1e-5 * Math.Abs(expected));
        loss.backward();
        Parameter variances = run.Parameters.Single();
        float[] gradient = variances.grad!.data<float>().ToArray();
        Assert.AreEqual(0.5 * (1 - Math.E * pixel.ToDouble()), gradient[0], 1e-4);
        Assert.AreEqual(0.5 * (1 - Math.Exp(6) * perceptual.ToDouble()), gradient[1], 1e-4 * Math.Exp(6) * perceptual.ToDouble());
        Assert.IsTrue(run.State.Any(s => s.Name == "log_variances"));
    });

    [TestMethod]
    public void TheCriticLooksOnceAtTheImagesAndOnceAtTheReconstructionAndHoldsNoGradients() => With((model, images, mask) =>
    {
        using var critic = new CountingCritic();
        foreach (PerceptualScale scale in Enum.GetValues<PerceptualScale>())
        {
            using ObjectiveRun run = (Objective.Semantic(0.5, critic) with { Scale = scale }).Begin(model);
            for (int step = 0; step < 3; step++)
            {
                var batch = new GivenBatch(images, mask);
                using (no_grad()) run.BatchReady(batch);   // measures the scales, in some of the steps
                critic.Seen.Clear();
                run.Loss(batch).backward();
                Assert.HasCount(2, critic.Seen);
                Assert.HasCount(1, critic.Seen.Where(s => s.Equals(images)));
            }
        }
        Assert.IsTrue(critic.parameters().All(p => !p.requires_grad && p.grad is null));
        Assert.IsFalse(critic.training);
        Assert.IsTrue(Gradients(model).All(g => g.abs().sum().ToDouble() > 0));
    });

    [TestMethod]
    public void TheSigmoidIsPutOnTheFeatures() => With((model, images, mask) =>
    {
        using var critic = new CountingCritic();
        SemanticObjective objective = Objective.Semantic(1, critic) with { Sigmoid = true, Scale = PerceptualScale.Calibrated, CalibrationBatches = 1 };
        using ObjectiveRun run = objective.Begin(model);
        run.Loss(images, mask);
        Tensor reconstructed = Patches.ToImages(model.forward(images, mask).Prediction, model.Config);
        double expected = (critic.forward(reconstructed).sigmoid() - critic.forward(images).sigmoid()).square().mean().ToDouble();
        Assert.AreEqual(1 / expected, run.State.First(s => s.Name == "scales").Tensor[1].ToDouble(), 1e-4 / expected);
    });

    [TestMethod]
    public void AlphaOutsideZeroToOneIsRefused()
    {
        using var critic = new CountingCritic();
        foreach (double alpha in (double[])[-0.1, 1.1, double.NaN])
            Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => Objective.Semantic(alpha, critic));
    }

    [TestMethod]
    public void CalibrationNeedsABatch()
    {
        using var critic = new CountingCritic();
        SemanticObjective objective = Objective.Semantic(0.5, critic) with { CalibrationBatches = 0 };
        MaePretrainOptions options = TinyModels.Options with { Objective = objective with { Scale = PerceptualScale.Calibrated } };
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(options.Validate).Message, "Objective.CalibrationBatches is 0: expected at least 1.");
        (options with { Objective = objective }).Validate();
    }

    [TestMethod]
    public void TheSameFileNameWithAnotherCriticIsAnotherObjective()
    {
        string path = Path.GetTempFileName();
        try
        {
            SemanticObjective objective = Objective.Semantic(0.5, path);
            string Identity(long seed)
            {
                using var critic = new SqueezeNet(3, seed: seed);
                critic.Save(path);
                return objective.Identity;
            }
            Assert.AreEqual(Identity(1), Identity(1));
            Assert.AreNotEqual(Identity(1), Identity(2));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static (Tensor Pixel, Tensor Perceptual) Losses(MaskedAutoencoder model, CountingCritic critic, Tensor images, PatchMask mask)
    {
        Reconstruction reconstruction = model.forward(images, mask);
        Tensor pixel = Objective.Pixel(normalizePatches: false, hiddenOnly: false).Loss(reconstruction);
        Tensor difference = critic.forward(Patches.ToImages(reconstruction.Prediction, model.Config)) - critic.forward(images);
        return (pixel, difference.square().mean());
    }

    private static IEnumerable<Tensor> Gradients(MaskedAutoencoder model) => model.parameters().Select(p => p.grad!.clone());

    private static void With(Action<MaskedAutoencoder, Tensor, PatchMask> check)
    {
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator(5);
        using var model = new MaskedAutoencoder(TinyModels.Encoder);
        Tensor images = randn([3, 3, 16, 16], generator: generator);
        check(model, images, Masking.Random(0.5).Draw(3, 4, 4, generator));
    }

    /// <summary>A critic that remembers what it was shown.</summary>
    private sealed class CountingCritic : nn.Module<Tensor, Tensor>
    {
        private readonly Conv2d _layer = nn.Conv2d(3, 4, 3, stride: 2);

        public CountingCritic() : base(nameof(CountingCritic))
        {
            RegisterComponents();
            this.DetachFromDisposeScopes();
        }

        public List<Tensor> Seen { get; } = [];

        public override Tensor forward(Tensor input)
        {
            Seen.Add(input.detach());
            return nn.functional.relu(_layer.forward(input));
        }
    }
}
