using Smae.Training;

namespace Smae.MLNet.Tests;

/// <summary>The trainers beside that of the vision transformer.</summary>
[TestClass]
public sealed class ImageTrainersTests : ClassificationFixture
{
    [TestMethod]
    public void A_linear_probe_learns_on_a_frozen_encoder()
    {
        using var encoder = TestModels.Encoder();
        var keyed = Keyed();
        var trainer = Trainers.LinearProbe(
            "Label", "ImagePath", encoder, new LinearProbeOptions { Epochs = 60, BatchSize = 20, LearningRate = 0.05 }, validationData: keyed);
        using (var probe = trainer.Fit(keyed))
        {
            Assert.IsGreaterThan(0.8, Context.MulticlassClassification.Evaluate(probe.Transform(keyed)).MicroAccuracy);
            var rows = Read<KeyPrediction>(probe.Transform(keyed));
            Assert.IsTrue(rows.All(row => Math.Abs(row.Score.Sum() - 1) < 1e-4f));
            Assert.AreEqual(
                probe.Training.Best!.Validation!.Top1, Context.MulticlassClassification.Evaluate(probe.Transform(keyed)).MicroAccuracy, 1e-6);
        }
        Assert.IsTrue(Read<EmbeddingOnly>(Context.Transforms.MaeEmbedding("Embedding", "ImagePath", encoder).Fit(keyed).Transform(keyed))
            .All(row => row.Embedding.All(float.IsFinite)), "The probe does not own the encoder.");
    }

    [TestMethod]
    public void A_critic_is_trained_saved_and_used_in_pretraining()
    {
        string path = At("critic.safetensors");
        var keyed = Keyed();
        var pretraining = TestModels.Options with { Epochs = 1, Encoder = TestModels.Config.ForImages(24) };
        var options = Recipes.SmaeCritic with { Epochs = 2, WarmupEpochs = 0, BatchSize = 8, Augmentation = null };
        using (var critic = Trainers.SqueezeNet("Label", "ImagePath", pretraining.Preprocessing, options).Fit(keyed))
        {
            Assert.HasCount(2, critic.Training.History);
            Assert.AreEqual(2, critic.Model.Classes);
            var rows = Read<KeyPrediction>(critic.Transform(keyed));
            Assert.IsTrue(rows.All(row => Math.Abs(row.Score.Sum() - 1) < 1e-4f && row.PredictedLabel is 1 or 2));
            critic.Model.Save(path);
        }
        using var embedder = Context.Transforms
            .MaePretrain("Embedding", "ImagePath", pretraining with { Objective = Objective.Semantic(0.5, path) }).Fit(Images);
        Assert.IsTrue(double.IsFinite(embedder.Pretraining!.LastLoss));
    }

    [TestMethod]
    public void A_critic_scores_like_the_network_it_was_saved_to()
    {
        var options = new SupervisedOptions { Epochs = 1, BatchSize = 8 };
        var preprocessing = new ImagePreprocessing { Height = 24, Width = 24 };
        var keyed = Keyed();
        var trainer = Trainers.SqueezeNet("Label", "ImagePath", preprocessing, options, validationData: keyed);
        using var critic = trainer.Fit(keyed);
        var metrics = Context.MulticlassClassification.Evaluate(critic.Transform(keyed));
        Assert.AreEqual(critic.Training.Best!.Validation!.Loss, metrics.LogLoss, 1e-4);
        critic.Dispose();
        Assert.ThrowsExactly<ObjectDisposedException>(() => Read<KeyPrediction>(critic.Transform(keyed)));
    }
}
