using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>Prediction of the features of a teacher that follows the encoder.</summary>
[TestClass]
public class SelfDistillationTests
{
    [TestMethod]
    [DataRow(FeatureLoss.TokenCosine)]
    [DataRow(FeatureLoss.ChannelCosine)]
    [DataRow(FeatureLoss.MeanSquaredError)]
    public void TheLossFalls(FeatureLoss loss)
    {
        using ImageStore images = TinyModels.Images(32);
        MaePretrainOptions options = Options(Objective.SelfDistilledFeatures() with { Loss = loss });
        MaePretrainResult result = MaePretraining.Run(images, options with { Epochs = 15, LearningRate = 3e-3, DropPath = 0.1 });
        Assert.IsLessThan(0.8 * result.FirstLoss, result.LastLoss);
    }

    [TestMethod]
    public void TheTeacherBeginsAsTheEncoderAndFollowsItOnceAnEpochAlongACosine()
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new MaskedAutoencoder(TinyModels.Encoder, target: DecoderTarget.Features);
        using ObjectiveRun run = (Objective.SelfDistilledFeatures() with { Momentum = 0.5, FinalMomentum = 0.9 }).Begin(model);
        Tensor teacher = run.State.Single(s => s.Name == "teacher.norm.bias").Tensor;
        Tensor student = ModelWeights.Of(model).Single(w => w.Name == "norm.bias").Tensor;
        Assert.IsTrue(teacher.Equals(student));
        using (no_grad()) student.fill_(1);
        run.StepEnded(new TrainingPosition(0, 4, 0, 40));
        Assert.AreEqual(0, teacher[0].ToDouble());
        double expected = 0;
        for (int epoch = 0; epoch < 4; epoch++)
        {
            run.EpochEnded(new TrainingPosition(epoch, 4, 10 * epoch + 9, 40));
            double momentum = 0.9 + 0.5 * (0.5 - 0.9) * (1 + Math.Cos(Math.PI * epoch / 4));
            expected = momentum * expected + (1 - momentum);
            Assert.AreEqual(expected, teacher[0].ToDouble(), 1e-6, $"epoch {epoch}");
        }
    }

    [TestMethod]
    public void TheTeacherSeesOneFoldAtATime()
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new MaskedAutoencoder(TinyModels.Encoder, target: DecoderTarget.Features);
        using var run = (SelfDistillationObjective.Run)Objective.SelfDistilledFeatures(folds: 4).Begin(model);
        Tensor images = randn(2, 3, 16, 16);
        PatchMask mask = PatchMask.FromNoise(rand(2, 16), 0.75);
        Tensor features = run.TeacherFeatures(new GivenBatch(images, mask));
        CollectionAssert.AreEqual((long[])[2 * 4, 3, 32], features.shape);

        Tensor fold = mask.HiddenIndices().narrow(1, 3, 3);   // the second fold of each image
        Tensor alone = model.Encoder.Encode(model.Encoder.CutIntoPatches(images), fold).narrow(1, 1, 3);
        Close.To(alone[1], features[4 + 1], 1e-6, "the second fold of the second image");
    }

    [TestMethod]
    public void FoldsThatDoNotDivideWhatIsHiddenAndMomentaBeyondOneAreNamedBeforeTheFirstStep()
    {
        Refused(Options(Objective.SelfDistilledFeatures(folds: 5)), "Objective.Folds is 5: expected a divisor of the 12 patches of 16");
        Refused(Options(Objective.SelfDistilledFeatures(folds: 0)), "Objective.Folds is 0");
        Refused(Options(Objective.SelfDistilledFeatures()) with { Masking = Masking.Random(0.5) }, "Objective.Folds is 3", "8 patches of 16");
        SelfDistillationObjective beyond = Objective.SelfDistilledFeatures() with { Momentum = 1.1, FinalMomentum = double.NaN };
        Refused(Options(beyond), "Momentum is 1.1", "FinalMomentum is NaN");
    }

    private static MaePretrainOptions Options(Objective objective) => TinyModels.Options with { Objective = objective };

    private static void Refused(MaePretrainOptions options, params string[] parts)
    {
        using ImageStore images = TinyModels.Images(8);
        string message = Assert.ThrowsExactly<ArgumentException>(() => MaePretraining.Run(images, options)).Message;
        foreach (string part in parts) StringAssert.Contains(message, part);
    }
}
