using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>Whatever fails in a run reaches its caller as an exception and leaves the process alive, on every path.</summary>
[TestClass]
public sealed class FailureTests
{
    private const long TooMany = 1L << 44;   // numbers that no machine has the memory for

    [TestMethod]
    [DataRow("loss", true, false)]
    [DataRow("loss", true, true)]
    [DataRow("loss", false, false)]
    [DataRow("forward", true, false)]
    [DataRow("forward", true, true)]
    [DataRow("forward", false, false)]
    [DataRow("backward", true, false)]
    [DataRow("backward", true, true)]
    [DataRow("backward", false, false)]
    [DataRow("BatchReady", true, false)]
    [DataRow("GradientsReady", true, false)]
    [DataRow("StepEnded", true, false)]
    [DataRow("EpochEnded", true, false)]
    [DataRow("RunEnded", true, false)]
    public void AFailureReachesTheCaller(string place, bool meanOverImages, bool plain)
    {
        using ImageStore images = TinyModels.Images(16);
        MaePretrainOptions options = TinyModels.Options with { Plain = plain, Objective = new Failing(place, meanOverImages) };
        var e = Assert.Throws<Exception>(() => MaePretraining.Run(images, options));
        StringAssert.Contains(e.Message, place is "forward" or "backward" ? "memory" : place);
        Assert.IsTrue(is_grad_enabled(), "gradients stay off");
        MaePretraining.Run(images, TinyModels.Options with { Plain = plain }).Model.Dispose();   // the next run is as any other
    }

    [TestMethod]
    public void AFailureInFineTuningReachesTheCaller()
    {
        using var model = new FailingModel();
        var preprocessing = new ImagePreprocessing { Height = 16, Width = 16 };
        var options = new SupervisedOptions { Epochs = 1, BatchSize = 4 };
        foreach (bool plain in (bool[])[false, true])
        {
            var e = Assert.Throws<Exception>(
                () => SupervisedTraining.Run(model, preprocessing, EasyImages.Create(8), null, options with { Plain = plain }));
            StringAssert.Contains(e.Message, "memory");
        }
    }

    /// <summary>In the validation after an epoch: an exception of the model's, an allocation that cannot be met. The model is in training again after it.</summary>
    [TestMethod]
    public void AFailureInValidationReachesTheCaller()
    {
        using var model = new FailingModel { FailsInEvaluation = true };
        var e = Assert.Throws<Exception>(() => SupervisedTraining.Run(
            model, new ImagePreprocessing { Height = 16, Width = 16 }, EasyImages.Create(8), EasyImages.Create(4), new SupervisedOptions { Epochs = 1, BatchSize = 4 }));
        StringAssert.Contains(e.Message, "memory");
        Assert.IsTrue(model.training && is_grad_enabled());
    }

    [TestMethod]
    public void AFailureInLinearProbeAndCriticReachesTheCaller()
    {
        var fails = new FailingAugmentation();
        using ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder);
        var probe = new LinearProbeOptions { Epochs = 1, BatchSize = 4, Augmentation = fails };
        StringAssert.Contains(Assert.Throws<Exception>(() => LinearProbe.Run(encoder, EasyImages.Create(8), null, probe)).Message, "memory");
        var critic = new SupervisedOptions { Epochs = 1, BatchSize = 4, Augmentation = fails };
        StringAssert.Contains(Assert.Throws<Exception>(() => CriticTraining.Run(EasyImages.Create(8, side: 24), null, critic)).Message, "memory");

        // A backward pass that cannot be met, in inputs: with Plain, since else gradients of parameters alone are asked for.
        SupervisedOptions mixed = critic with { Augmentation = null, Mixing = new FailingMixing(), Plain = true };
        StringAssert.Contains(Assert.Throws<Exception>(() => CriticTraining.Run(EasyImages.Create(8, side: 24), null, mixed)).Message, "memory");
        using SqueezeNet next = CriticTraining.Run(EasyImages.Create(8, side: 24), null, critic with { Augmentation = null }).Model;
        Assert.IsTrue(is_grad_enabled());
    }

    [TestMethod]
    public void ARunDropsItsGradients()
    {
        using ImageStore images = TinyModels.Images(16);
        using MaskedAutoencoder model = MaePretraining.Run(images, TinyModels.Options).Model;
        Assert.IsTrue(model.parameters().All(p => p.grad is null));
    }

    /// <summary>Nothing on the way forward; on the way back, zeros for every number of a view.</summary>
    private static Tensor FailsInBackward(Tensor scalar) => scalar.expand(TooMany).narrow(0, 0, 1).sum();

    private sealed record Failing(string Place, bool MeanOverImages) : Objective
    {
        public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) =>
            new FailingRun(this, model, Pixel().Begin(model, options, device));
    }

    private sealed class FailingRun(Failing settings, MaskedAutoencoder model, ObjectiveRun inner) : ObjectiveRun
    {
        public override bool IsMeanOverImages => settings.MeanOverImages;

        public override void BatchReady(PretrainBatch batch) => FailAt(nameof(BatchReady));

        public override Tensor Loss(PretrainBatch batch)
        {
            FailAt("loss");
            if (settings.Place == "forward") return zeros(TooMany).sum();
            Tensor loss = inner.Loss(batch);
            return settings.Place == "backward" ? loss + FailsInBackward(model.parameters().First().sum()) : loss;
        }

        public override void GradientsReady(TrainingPosition position) => FailAt(nameof(GradientsReady));

        public override void StepEnded(TrainingPosition position) => FailAt(nameof(StepEnded));

        public override void EpochEnded(TrainingPosition position) => FailAt(nameof(EpochEnded));

        public override void RunEnded() => FailAt(nameof(RunEnded));

        private void FailAt(string place)
        {
            if (settings.Place == place) throw new InvalidOperationException($"failed in {place}");
        }

        public override void Dispose()
        {
            inner.Dispose();
            base.Dispose();
        }
    }

    private sealed class FailingModel : nn.Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Linear _layer = nn.Linear(3, 3);

        public FailingModel() : base(nameof(FailingModel)) => RegisterComponents();

        public bool FailsInEvaluation { get; init; }

        public override Tensor forward(Tensor input)
        {
            Tensor logits = _layer.forward(input.mean([2, 3]));
            if (!FailsInEvaluation) return logits + FailsInBackward(_layer.weight.sum());
            return training ? logits : logits + zeros(TooMany).sum();
        }
    }

    private sealed record FailingAugmentation : Augmentation
    {
        private protected override Tensor Transform(Tensor images, RandomSequence[] random) => images + zeros(TooMany).sum();
    }

    private sealed record FailingMixing : LabelMixing
    {
        internal override (Tensor Images, double Share) Mix(Tensor images, Tensor opposite, RandomSequence random)
        {
            using var grad = enable_grad();
            return (images + FailsInBackward(ones(1, requires_grad: true).sum()), 1);
        }
    }
}
