using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>What training aims at and what a classifier answers are probabilities: none negative, together 1, whatever the settings.</summary>
[TestClass]
public class ProbabilityTests
{
    public static IEnumerable<object[]> Settings =>
        from mixing in (LabelMixing?[])[null, new Mixup(0.8), new Cutmix(1), new MixupOrCutmix(), new MixupOrCutmix(0.1, 4) { Probability = 0.5 }]
        from smoothing in (double[])[0, 0.1, 0.9]
        select new object[] { mixing?.ToString() ?? "none", smoothing, mixing! };

    [TestMethod]
    [DynamicData(nameof(Settings))]
    public void TheTargetsOfAStepSumToOne(string name, double smoothing, LabelMixing? mixing)
    {
        var options = new SupervisedOptions
        {
            LabelSmoothing = smoothing, Mixing = mixing, Augmentation = Augmentation.HorizontalFlip().Then(Augmentation.RandomErasing(0.5)),
        };
        using var random = new RandomStream(5);
        for (int trial = 0; trial < 25; trial++)
        {
            using DisposeScope scope = NewDisposeScope();
            (int classes, int batch) = (2 + trial * 3, 1 + trial % 9);   // batches of one and of an odd number too
            LabelledImages images = EasyImages.Create(Math.Max(classes, batch), classes);
            using ImageStore store = images.Images;
            using var normalizer = new ImageNormalizer(new ImagePreprocessing { Height = 16, Width = 16 }, CPU);
            long[] which = [.. Enumerable.Range(0, batch).Select(i => (long)i)];
            Tensor pixels = normalizer.Normalize(store.Batch(which), options.Augmentation, RandomSequence.OfImages(trial, 0, batch));
            SupervisedBatch plain = SupervisedBatch.Of(pixels, images.Labels(which, CPU), classes, options);
            (Tensor inputs, Tensor targets) = mixing is null ? plain : plain.Mixed(mixing, plain, random.SequenceAt(RandomUse.Mixing, trial));
            CollectionAssert.AreEqual(new long[] { batch, classes }, targets.shape);
            CollectionAssert.AreEqual(new long[] { batch, 3, 16, 16 }, inputs.shape);
            Assert.IsGreaterThanOrEqualTo(0, targets.min().ToDouble(), name);
            Close.To(ones(batch), targets.sum(1), 2e-6, $"{name}, step {trial}");
            // Of a model that knows nothing the loss is ln(classes), if and only if targets sum to 1.
            Assert.AreEqual(Math.Log(classes), Supervision.CrossEntropy(zeros(batch, classes), targets).ToDouble(), 1e-5);
        }
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(300)]
    [DataRow(1e6)]
    public void TheProbabilitiesOfAClassifierSumToOneHoweverSureItIs(double scale)
    {
        const int classes = 7, count = 20;
        var model = new VisionTransformerClassifier(TinyModels.Encoder, classes, seed: 4);
        using (no_grad())
        using (DisposeScope scope = NewDisposeScope())
        {
            model.Weights.First(w => w.Name == "head.weight").Tensor.mul_(scale / 2e-5);   // head weights begin near 2e-5
        }
        using var classifier = new ImageClassifier(model, new ImagePreprocessing { Height = 16, Width = 16 });
        using ImageStore images = TinyModels.Images(count);
        var probabilities = new float[count * classes];
        for (int i = 0; i < count; i++) classifier.Classify(images[i], 1, probabilities.AsSpan(i * classes, classes));
        Assert.IsTrue(probabilities.All(p => p is >= 0 and <= 1));
        foreach (float[] image in probabilities.Chunk(classes)) Assert.AreEqual(1, image.Sum(p => (double)p), 1e-5);
    }
}
