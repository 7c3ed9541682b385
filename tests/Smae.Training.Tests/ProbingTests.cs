using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

[TestClass]
public class ProbingTests
{
    private static LinearProbeOptions Options { get; } = new() { Epochs = 20, BatchSize = 16, LearningRate = 0.05, Seed = 1 };

    [TestMethod]
    [DataRow(false, false, ProbeOptimizer.Adam)]
    [DataRow(true, false, ProbeOptimizer.Adam)]
    [DataRow(true, true, ProbeOptimizer.Adam)]
    [DataRow(true, false, ProbeOptimizer.Lars)]
    public void SeparableEmbeddingsAreSeparated(bool batchNorm, bool augmented, ProbeOptimizer optimizer)
    {
        using ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder, seed: 1);
        string before = TensorHash.Of(ModelWeights.Of(encoder.Model));
        LinearProbeOptions options = Options with
        {
            BatchNorm = batchNorm, Optimizer = optimizer, Augmentation = augmented ? Augmentation.HorizontalFlip() : null,
            LearningRate = optimizer == ProbeOptimizer.Lars ? 5 : 0.05,
        };
        SupervisedResult<nn.Module<Tensor, Tensor>> result = LinearProbe.Run(encoder, EasyImages.Create(48), EasyImages.Create(21, seed: 2), options);
        using nn.Module<Tensor, Tensor> head = result.Model;
        Assert.IsGreaterThan(0.95, result.Best!.Validation!.Top1, result.Best.ToString());
        Assert.AreEqual(before, TensorHash.Of(ModelWeights.Of(encoder.Model)), "the encoder is frozen");
        using DisposeScope scope = NewDisposeScope();
        CollectionAssert.AreEqual((long[])[2, 3], head.forward(zeros(2, 32)).shape);
    }

    [TestMethod]
    public void EmbeddingsMadeOnceAreThoseMadeAnew()
    {
        using ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder, seed: 1);
        double[] Losses(Augmentation? augmentation)
        {
            SupervisedResult<nn.Module<Tensor, Tensor>> result =
                LinearProbe.Run(
                    encoder, EasyImages.Create(24), null, Options with { Epochs = 3, Augmentation = augmentation, Pooling = Pooling.ClassToken });
            result.Model.Dispose();
            return [.. result.History.Select(e => e.Loss)];
        }
        double[] once = Losses(null), anew = Losses(Augmentation.Sequence());
        for (int i = 0; i < 3; i++) Assert.AreEqual(once[i], anew[i], 1e-4);
    }

    [TestMethod]
    public void BatchNormUsesItsRunningStatisticsInValidation()
    {
        using DisposeScope scope = NewDisposeScope();
        using var generator = new Generator(1);
        using var head = (Sequential)ClassifierHead.Create(2, 2, batchNorm: true, std: 1, generator);
        var norm = (nn.Module<Tensor, Tensor>)head[0];
        Tensor batch = tensor(new float[] { 0, 10, 4, 30 }, [2, 2]);
        Close.To(tensor(new float[] { -1, -1, 1, 1 }, [2, 2]), norm.forward(batch), 1e-5, "training: statistics of the batch");
        norm.eval();
        // 0.1 of the batch's mean and unbiased variance, 0.9 of 0 and 1
        Tensor mean = tensor(new float[] { 0.2f, 2 }), variance = tensor(new float[] { 0.9f + 0.8f, 0.9f + 20 });
        Tensor expected = (batch - mean) / (variance + 1e-6).sqrt();
        Close.To(expected, norm.forward(batch), 1e-5, "evaluation: running statistics");
        Close.To(expected.narrow(0, 1, 1), norm.forward(batch.narrow(0, 1, 1)), 1e-5, "alone as in a batch");
        Assert.AreEqual(1L, norm.state_dict()["num_batches_tracked"].ToInt64());
    }

    [TestMethod]
    public void LarsTakesTheStepsOfFacebooks()
    {
        using DisposeScope scope = NewDisposeScope();
        Parameter matrix = new(tensor(new float[] { 3, 0, 0, 4 }, [2, 2])), bias = new(tensor(new float[] { 1, 1 }));
        using var lars = new Lars([new([matrix], 0.1), new([bias], 0)], momentum: 0.9, trust: 0.001);
        double velocity = 0, biasVelocity = 0, first = 3, offset = 1;
        double fourth = 4, fourthVelocity = 0;
        for (int step = 0; step < 3; step++)
        {
            lars.ZeroGrad();
            ((matrix * tensor(new float[] { 1, 0, 0, 2 }, [2, 2])).sum() + bias.sum() * 0.5).backward();
            lars.Step(2);
            double g0 = 1 + 0.1 * first, g3 = 2 + 0.1 * fourth;
            double ratio = 0.001 * Math.Sqrt(first * first + fourth * fourth) / Math.Sqrt(g0 * g0 + g3 * g3);
            velocity = 0.9 * velocity + ratio * g0;
            fourthVelocity = 0.9 * fourthVelocity + ratio * g3;
            biasVelocity = 0.9 * biasVelocity + 0.5;
            (first, fourth, offset) = (first - 2 * velocity, fourth - 2 * fourthVelocity, offset - 2 * biasVelocity);
        }
        Assert.AreEqual(first, matrix[0, 0].ToDouble(), 1e-6);
        Assert.AreEqual(fourth, matrix[1, 1].ToDouble(), 1e-6);
        Assert.AreEqual(offset, bias[0].ToDouble(), 1e-5);
    }

    [TestMethod]
    public void LarsLeavesTheRateOfZeroWeightsAlone()
    {
        using DisposeScope scope = NewDisposeScope();
        Parameter matrix = new(zeros(2, 2));
        using var lars = new Lars([new([matrix], 0)]);
        matrix.sum().backward();
        lars.Step(0.5);
        Assert.AreEqual(-0.5f, matrix[1, 1].ToSingle());
    }

    [TestMethod]
    public void NeighboursVoteByTheirSimilarity()
    {
        using DisposeScope scope = NewDisposeScope();
        using ImageStore images = TinyModels.Images(4), one = TinyModels.Images(1);
        Tensor voters = tensor(new float[] { 1, 0, 3, 4, 0.6f, 0.8f, 0, 9 }, [4, 2]);   // cosines with (1, 0): 1, 0.6, 0.6, 0
        var training = new LabelledImages(images, [0, 1, 1, 2]);
        Evaluation Of(int label, int k, double temperature) =>
            KNearestNeighbors.Evaluate(voters, training, tensor(new float[] { 5, 0 }, [1, 2]), new LabelledImages(one, [label]), k, temperature);
        // exp(1/T) against 2 exp(0.6/T): the near one wins while 0.4/T > ln 2
        Assert.AreEqual((1.0, 1.0), (Of(0, 3, 0.5).Top1, Of(0, 3, 0.5).Top5));
        Assert.AreEqual(0, Of(0, 3, 0.6).Top1);
        Assert.AreEqual(1, Of(1, 3, 0.6).Top1);
        Assert.AreEqual((0.0, 0.0), (Of(2, 3, 0.07).Top1, Of(2, 3, 0.07).Top5), "no neighbour of that class");
        Assert.AreEqual((0.0, 1.0), (Of(2, 20, 0.07).Top1, Of(2, 20, 0.07).Top5), "all four vote");
        Assert.AreEqual(1, Of(0, 3, 1e-9).Top1, "the lower the temperature, the more the nearest counts");
        Assert.AreEqual((0.0, 1.0), (Of(2, 20, 1e-9).Top1, Of(2, 20, 1e-9).Top5), "a vote that vanishes is still one");
    }

    [TestMethod]
    [DataRow(1e-30)]
    [DataRow(1e-4)]
    [DataRow(0.07)]
    [DataRow(1e9)]
    public void TheNearestOneAloneDecidesAtAnyTemperature(double temperature)
    {
        using DisposeScope scope = NewDisposeScope();
        using ImageStore images = TinyModels.Images(4), one = TinyModels.Images(1);
        Tensor voters = tensor(new float[] { 1, 9, 9, 1, 3, 4, 0, 9 }, [4, 2]), asked = tensor(new float[] { 1, 1 }, [1, 2]);
        var training = new LabelledImages(images, [0, 1, 2, 3]);
        double[] right = [.. Enumerable.Range(0, 4).Select(label =>
            KNearestNeighbors.Evaluate(voters, training, asked, new LabelledImages(one, [label]), k: 1, temperature).Top1)];
        CollectionAssert.AreEqual(new double[] { 0, 0, 1, 0 }, right);
    }

    [TestMethod]
    public void WhatIsNotANumberHasNoVoteAndIsNeverRight()
    {
        using DisposeScope scope = NewDisposeScope();
        using ImageStore images = TinyModels.Images(3), one = TinyModels.Images(1);
        var training = new LabelledImages(images, [0, 1, 2]);
        (double, double) Of(Tensor voters, Tensor asked, int label)
        {
            Evaluation found = KNearestNeighbors.Evaluate(voters, training, asked, new LabelledImages(one, [label]), k: 2, temperature: 0.07);
            return (found.Top1, found.Top5);
        }
        Tensor voters = tensor(new float[] { float.NaN, 1, 3, 4, 0, 9 }, [3, 2]), asked = tensor(new float[] { 0, 1 }, [1, 2]), nothing = full([1, 2], float.NaN);
        Assert.AreEqual((1.0, 1.0), Of(voters, asked, 2));
        Assert.AreEqual((0.0, 1.0), Of(voters, asked, 1));
        Assert.AreEqual((0.0, 0.0), Of(voters, asked, 0));
        for (int label = 0; label < 3; label++) Assert.AreEqual((0.0, 0.0), Of(voters, nothing, label));
    }

    [TestMethod]
    public void NeighboursOfEasyImagesAreOfTheirClass()
    {
        using ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder, seed: 1);
        Evaluation result = KNearestNeighbors.Evaluate(encoder, EasyImages.Create(60), EasyImages.Create(21, seed: 2));
        Assert.IsGreaterThan(0.95, result.Top1);
        Assert.AreEqual(21, result.Count);
    }

    [TestMethod]
    public void WhatAProbeCannotDoIsSaid()
    {
        using ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder with { ClassToken = ClassToken.None });
        LabelledImages images = EasyImages.Create(9);
        void Refused(LinearProbeOptions options, string part) =>
            StringAssert.Contains(Assert.ThrowsExactly<ArgumentException>(() => LinearProbe.Run(encoder, images, null, options)).Message, part);
        Refused(Options with { Mixing = new Mixup(1) }, "Mixing is set");
        Refused(Options with { Pooling = Pooling.ClassToken }, "no class token");
        Refused(Options with { BatchNorm = true, BatchSize = 4, AccumulationSteps = 3 }, "at least 2 images");
        Assert.ThrowsExactly<ArgumentException>(() => LinearProbe.Run(encoder, EasyImages.Create(9, side: 20), null, Options));
        Assert.ThrowsExactly<ArgumentException>(() => KNearestNeighbors.Evaluate(encoder, images, EasyImages.Create(9, side: 20)));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => KNearestNeighbors.Evaluate(encoder, images, EasyImages.Create(9, classes: 5)));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => KNearestNeighbors.Evaluate(encoder, images, images, k: 0));
    }
}
