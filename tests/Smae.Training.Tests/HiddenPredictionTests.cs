using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>Predicting hidden patches alone is a cheaper way to the same numbers and the same gradients.</summary>
[TestClass]
public sealed class HiddenPredictionTests
{
    [TestMethod]
    [DataRow(ClassToken.First, ResidualStyle.PreNorm, false)]
    [DataRow(ClassToken.Last, ResidualStyle.Normed, false)]
    [DataRow(ClassToken.None, ResidualStyle.PreNorm, true)]
    public void ThePredictionIsThatOfTheWhole(ClassToken classToken, ResidualStyle residual, bool learned)
    {
        using DisposeScope scope = NewDisposeScope();
        PositionEncoding positions = learned ? PositionEncoding.Learned : PositionEncoding.SineCosine2D;
        DecoderConfig decoder = TinyModels.Encoder.DefaultDecoder with { Depth = 2, Residual = residual, Positions = positions };
        using var model = new MaskedAutoencoder(TinyModels.Encoder with { ClassToken = classToken, DefaultDecoder = decoder }, seed: 2);
        Tensor images = randn(3, 3, 16, 16);
        using var generator = new Generator(5);
        PatchMask mask = Masking.Random(0.6).Draw(3, 4, 4, generator);

        Reconstruction whole = model.forward(images, mask);
        (Tensor patches, Tensor hidden) = model.PredictHidden(images, mask);
        CollectionAssert.AreEqual((long[])[3, mask.HiddenCount, 48], hidden.shape);
        Assert.AreEqual(0, (hidden - Patches.Pick(whole.Prediction, mask.HiddenIndices())).abs().max().ToDouble(), 1e-5);

        PixelObjective objective = Objective.Pixel();
        Tensor expected = objective.Loss(whole), actual = objective.LossOfHidden(hidden, patches, mask);
        Assert.AreEqual(expected.ToDouble(), actual.ToDouble(), 1e-5);
        Tensor[] parameters = [.. model.parameters()];
        IList<Tensor> expectedGradients = autograd.grad([expected], parameters), actualGradients = autograd.grad([actual], parameters);
        for (int i = 0; i < parameters.Length; i++)
            Assert.AreEqual(0, (expectedGradients[i] - actualGradients[i]).abs().max().ToDouble(), 1e-5 * Math.Max(1, expectedGradients[i].abs().max().ToDouble()));
    }

    [TestMethod]
    [DataRow(2, 4)]
    [DataRow(4, 4)]
    [DataRow(3, 3)]
    [DataRow(3, 5)]
    [DataRow(1, 4)]
    public void AMaskOfAnotherSizeIsRefusedWithBothSizes(int batch, int side)
    {
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator(5);
        using MaskedAutoencoder model = new(TinyModels.Encoder), ofFeatures = new(TinyModels.Encoder, target: DecoderTarget.Features);
        Tensor images = randn(3, 3, 16, 16);
        PatchMask right = Masking.Random(0.5).Draw(3, 4, 4, generator), wrong = Masking.Random(0.5).Draw(batch, side, side, generator);
        void Refused(Action action)
        {
            string message = Assert.ThrowsExactly<ArgumentException>(action).Message;
            StringAssert.Contains(message, $"{batch} images of {side * side} patches");
            StringAssert.Contains(message, "3 of 16");
        }
        Refused(() => model.forward(images, wrong));
        Refused(() => model.PredictHidden(images, wrong));
        Objective[] objectives =
        [
            Objective.Pixel(), Objective.Pixel(hiddenOnly: false), Objective.LowPassPixel(), Objective.LowPassPixel(hiddenOnly: false),
            Objective.SelfDistilledFeatures(folds: 1),
        ];
        foreach (Objective objective in objectives)
        {
            using ObjectiveRun run = objective.Begin(objective.Target == DecoderTarget.Features ? ofFeatures : model);
            Refused(() => run.Loss(new GivenBatch(images, wrong)));
        }
        Reconstruction made = model.forward(images, right);
        Refused(() => Objective.Pixel().Loss(made with { Mask = wrong }));
        Refused(() => Objective.Pixel().LossOfHidden(made.Prediction.narrow(1, 0, right.HiddenCount), made.Patches, wrong));
    }
}
