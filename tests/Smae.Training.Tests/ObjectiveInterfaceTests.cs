using System.Globalization;
using Smae.Tests;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>What a run gives an objective and when it tells it, for methods that are not of this library too.</summary>
[TestClass]
public class ObjectiveInterfaceTests
{
    [TestMethod]
    public void HooksAreToldInOrderWithTheirPlace()
    {
        using ImageStore images = TinyModels.Images(17);
        List<string> told = [];
        Run(images, new ProbeObjective(told.Add));
        string[] epoch0 = ["loss 0/0", "gradients 0/0", "step 0/0", "loss 0/1", "gradients 0/1", "step 0/1", "epoch 0/1"];
        string[] epoch1 = ["loss 1/2", "gradients 1/2", "step 1/2", "loss 1/3", "gradients 1/3", "step 1/3", "epoch 1/3"];
        CollectionAssert.AreEqual((string[])[.. epoch0, .. epoch1, "run"], told);
    }

    [TestMethod]
    public void PartsOfABatchAskForLossesAndTellOfGradientsOnce()
    {
        using ImageStore images = TinyModels.Images(8);
        List<string> told = [];
        Run(images, new ProbeObjective(told.Add), o => o with { Epochs = 1, AccumulationSteps = 2 });
        CollectionAssert.AreEqual((string[])["loss 0/0", "loss 0/0", "gradients 0/0", "step 0/0", "epoch 0/0", "run"], told);
    }

    [TestMethod]
    public void GradientsThatAHookClearsChangeNothing()
    {
        using ImageStore images = TinyModels.Images(8);
        MaePretrainResult free = Run(images, new ProbeObjective()), cleared = Run(images, new ProbeObjective { ClearGradients = true });
        using var fresh = new MaskedAutoencoder(TinyModels.Encoder, seed: 3);
        using DisposeScope scope = NewDisposeScope();
        Assert.IsFalse(Weight(fresh).Equals(Weight(free.Model)));
        Close.To(Weight(fresh) * 0.99, Weight(cleared.Model), 0.02, "only weight decay is left");
        Assert.IsTrue(Biases(fresh).SequenceEqual(Biases(cleared.Model)), "what does not decay stays as it was");
    }

    [TestMethod]
    public void AViewIsTheSameWheneverItIsMadeAndAnotherOfEveryIndexStepAndPart()
    {
        using ImageStore images = TinyModels.Images(12);
        List<float> Views(bool reversed)
        {
            List<float> sums = [];
            var objective = new ProbeObjective { Looked = sums.AddRange, Reversed = reversed };
            Run(images, objective, o => o with { BatchSize = 6, AccumulationSteps = 2, Epochs = 1 });
            return sums;
        }
        List<float> views = Views(reversed: false);
        Assert.HasCount(2 * 2 * 2, views);
        Assert.HasCount(views.Count, views.Distinct());
        CollectionAssert.AreEqual(views, Views(reversed: true));
    }

    [TestMethod]
    public void WithoutADecoderThereIsNoneAndNeitherItNorTheMaskIsAskedToFit()
    {
        using ImageStore images = TinyModels.Images(8);
        MaePretrainOptions options = TinyModels.Options with
        {
            Decoder = TinyModels.Encoder.DefaultDecoder with { NumHeads = 3 }, Masking = Masking.Random(0.999), Objective = new ProbeObjective(),
        };
        string message = Assert.ThrowsExactly<ArgumentException>(options.Validate).Message;
        StringAssert.Contains(message, "Decoder.NumHeads is 3");
        MaePretrainResult result = MaePretraining.Run(images, options with { Objective = new ProbeObjective { Decodes = DecoderTarget.None } });
        Assert.IsFalse(ModelWeights.Of(result.Model).Any(w => w.Name.StartsWith("decoder", StringComparison.Ordinal) || w.Name == "mask_token"));
        Assert.ThrowsExactly<InvalidOperationException>(() => Forward(result.Model));
    }

    [TestMethod]
    public void ADecoderOfFeaturesPredictsTheEncodersWidthAndMakesNoPicture()
    {
        using ImageStore images = TinyModels.Images(2);
        using var model = new MaskedAutoencoder(TinyModels.Encoder, target: DecoderTarget.Features);
        CollectionAssert.AreEqual((long[])[2, 16, 32], Forward(model));
        string message = Assert.ThrowsExactly<ArgumentException>(() => ReconstructionGrid.Draw(model, images, [0], TinyModels.Options)).Message;
        StringAssert.Contains(message, "predicts features");
    }

    [TestMethod]
    public void FaultsOfTheObjectiveJoinThoseOfTheOptions()
    {
        MaePretrainOptions options = TinyModels.Options with { Epochs = 0, Objective = new ProbeObjective { Fault = "The probe does not fit." } };
        string message = Assert.ThrowsExactly<ArgumentException>(options.Validate).Message;
        StringAssert.Contains(message, "The probe does not fit.");
        StringAssert.Contains(message, "Epochs is 0");
    }

    [TestMethod]
    public void WeightDecayFollowsACosineToItsFinalValue()
    {
        using DisposeScope scope = NewDisposeScope();
        using ImageStore images = TinyModels.Images(8);
        List<double> sizes = [];
        var objective = new ProbeObjective { ClearGradients = true, Stepped = model => sizes.Add(Weight(model).norm().ToDouble()) };
        MaePretrainOptions options = TinyModels.Options with
        {
            Epochs = 4, LearningRate = 0.1, MinimumLearningRate = 0.1, WarmupEpochs = 0, WeightDecay = 0.04, FinalWeightDecay = 0.4,
            Objective = objective,
        };
        MaePretraining.Run(images, options);
        for (int step = 1; step < 4; step++)
        {
            double decay = 0.4 + (0.04 - 0.4) * 0.5 * (1 + Math.Cos(Math.PI * step / 4));
            Assert.AreEqual(1 - 0.1 * decay, sizes[step] / sizes[step - 1], 1e-6, $"step {step}");
        }
        foreach (MaePretrainOptions wrong in (MaePretrainOptions[])[options with { FinalWeightDecay = -1 }, options with { WeightDecay = 0 }])
            StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(wrong.Validate).Message, "FinalWeightDecay is");
    }

    [TestMethod]
    public void DropPathIsTheEncoders()
    {
        using ImageStore images = TinyModels.Images(8);
        MaePretrainResult result = Run(images, new ProbeObjective(), o => o with { DropPath = 0.3 });
        Assert.AreEqual(0.3, result.Model.Encoder.DropPath);
        Assert.AreNotEqual(Run(images, new ProbeObjective()).LastLoss, result.LastLoss);
        StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>((TinyModels.Options with { DropPath = 1 }).Validate).Message, "DropPath is 1");
    }

    [TestMethod]
    public void TheIdentityIsTheSameInEveryCulture()
    {
        var comma = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        comma.NumberFormat.NumberDecimalSeparator = ",";
        CultureInfo before = CultureInfo.CurrentCulture;
        using var critic = new SqueezeNet(2);
        Objective[] objectives = [Objective.Pixel(), Objective.LowPassPixel(0.25), Objective.Semantic(0.5, critic), Objective.Dino()];
        string[] here = [.. objectives.Select(objective => objective.Identity)];
        try
        {
            CultureInfo.CurrentCulture = comma;
            CollectionAssert.AreEqual(here, objectives.Select(objective => objective.Identity).ToArray());
            Assert.AreSame(comma, CultureInfo.CurrentCulture);
            MaePretrainOptions wrong = TinyModels.Options with { Objective = Objective.Dino() with { TeacherMomentum = 1.5 } };
            StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(wrong.Validate).Message, "TeacherMomentum is 1.5: expected");
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [TestMethod]
    public void PixelsOfAPredictionAreThoseOfThePixelTarget()
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new MaskedAutoencoder(TinyModels.Encoder);
        Reconstruction made = model.forward(randn(2, 3, 16, 16), PatchMask.FromNoise(rand(2, 16), 0.5));
        Assert.AreSame(made.Prediction, new ProbeObjective().ToPixels(made));
        foreach (PixelObjective pixels in (PixelObjective[])[Objective.Pixel(), Objective.Pixel(normalizePatches: false)])
            Close.To(pixels.ToPixels(made), new ProbeObjective { Pixels = pixels }.ToPixels(made), 0, "pixels");
    }

    [TestMethod]
    public void WhatARunOwnsGoesWithIt()
    {
        using Tensor part = zeros(1);
        using (new OwningRun(part)) Assert.IsFalse(part.IsInvalid);
        Assert.IsTrue(part.IsInvalid);
    }

    [TestMethod]
    public void EveryObjectiveOfTheLibraryIsOneOfEveryMethods()
    {
        string folder = Directory.CreateTempSubdirectory("smae-methods-").FullName;
        try
        {
            Type[] tried = [.. EveryMethod.Names.Select(name => EveryMethod.Options(name, TinyModels.Options, folder).Objective.GetType())];
            Type[] missing = [.. typeof(Objective).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Objective)) && !t.IsAbstract).Except(tried)];
            Assert.IsEmpty(missing, string.Join<Type>(", ", missing));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static MaePretrainResult Run(ImageStore images, Objective objective, Func<MaePretrainOptions, MaePretrainOptions>? change = null)
    {
        MaePretrainOptions options = TinyModels.Options with { Objective = objective };
        return MaePretraining.Run(images, change?.Invoke(options) ?? options);
    }

    private static long[] Forward(MaskedAutoencoder model)
    {
        using DisposeScope scope = NewDisposeScope();
        return model.forward(zeros(2, 3, 16, 16), PatchMask.FromNoise(rand(2, 16), 0.5)).Prediction.shape;
    }

    private static Tensor Weight(MaskedAutoencoder model) => ModelWeights.Of(model).Single(w => w.Name == "blocks.0.mlp.fc1.weight").Tensor;

    private static IEnumerable<float> Biases(MaskedAutoencoder model) =>
        ModelWeights.Of(model).Where(w => w.Name.EndsWith("bias", StringComparison.Ordinal)).SelectMany(w => w.Tensor.data<float>().ToArray());

    /// <summary>An objective with pixels (or the mean token, without a decoder) for its loss that tells of all it is told.</summary>
    private sealed record ProbeObjective(Action<string>? Told = null) : Objective
    {
        public DecoderTarget Decodes { get; init; }

        public bool ClearGradients { get; init; }

        public string? Fault { get; init; }

        public bool Reversed { get; init; }

        public Action<IEnumerable<float>>? Looked { get; init; }

        public Action<MaskedAutoencoder>? Stepped { get; init; }

        public PixelObjective? Pixels { get; init; }

        public override DecoderTarget Target => Decodes;

        public override PixelObjective? PixelTarget => Pixels;

        protected internal override IEnumerable<string> Faults(MaePretrainOptions options) => Fault is null ? [] : [Fault];

        public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) => new Run(this, model);

        private sealed class Run(ProbeObjective objective, MaskedAutoencoder model) : ObjectiveRun
        {
            public override Tensor Loss(PretrainBatch batch)
            {
                Tell("loss", batch.Position);
                if (objective.Looked is not null)
                {
                    Augmentation crop = Augmentation.RandomResizedCrop(0.3);
                    IEnumerable<int> order = objective.Reversed ? [1, 0] : [0, 1];
                    float[] sums = new float[2];
                    foreach (int i in order) sums[i] = (float)batch.View(i, crop).sum().ToDouble();
                    objective.Looked(sums);
                }
                using (NewDisposeScope())   // what the batch makes outlives the scope that it was made in
                    _ = batch.Images.mean().ToDouble() + (model.Target == DecoderTarget.None ? 0 : batch.Mask.Visible.sum().ToDouble());
                return model.Target == DecoderTarget.None
                    ? model.Encoder.forward(batch.Images).square().mean()
                    : Pixel().Loss(model.forward(batch.Images, batch.Mask));
            }

            public override void GradientsReady(TrainingPosition position)
            {
                Tell("gradients", position);
                Assert.IsFalse(is_grad_enabled());
                if (!objective.ClearGradients) return;
                foreach (Parameter parameter in model.parameters()) parameter.grad!.zero_();
            }

            public override void StepEnded(TrainingPosition position)
            {
                Tell("step", position);
                objective.Stepped?.Invoke(model);
            }

            public override void EpochEnded(TrainingPosition position) => Tell("epoch", position);

            public override void RunEnded() => objective.Told?.Invoke("run");

            private void Tell(string what, TrainingPosition at) => objective.Told?.Invoke($"{what} {at.Epoch}/{at.Step}");
        }
    }

    private sealed class OwningRun : ObjectiveRun
    {
        public OwningRun(IDisposable part) => Own(part);

        public override Tensor Loss(PretrainBatch batch) => throw new NotSupportedException();
    }
}
