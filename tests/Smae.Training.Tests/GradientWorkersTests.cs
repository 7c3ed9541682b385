using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>Several threads make together the gradients that one makes alone.</summary>
[TestClass]
public sealed class GradientWorkersTests
{
    [TestMethod]
    [DataRow(2, 1, Precision.Float32)]
    [DataRow(3, 512, Precision.Float32)]   // parts of two images and of one
    [DataRow(16, 1, Precision.Float32)]    // more threads than images
    [DataRow(2, 512, Precision.BFloat16)]
    public void TogetherTheyMakeTheGradientOfTheWholeBatch(int threads, int rowsPerImage, Precision precision)
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new MaskedAutoencoder(TinyModels.Encoder, seed: 1);
        model.Precision = precision;
        using var optimizer = new AdamW(ParameterGroup.Of(model, 0.05));
        // In bfloat16 each part rounds gradients for itself.
        double tolerance = precision == Precision.BFloat16 ? 0.01 : 1e-5;
        Tensor images = randn(11, 3, 16, 16);
        using var generator = new Generator(5);
        PatchMask mask = Masking.Random().Draw(11, 4, 4, generator);
        var batch = new GivenBatch(images, mask);
        PixelObjective objective = Objective.Pixel();
        using ObjectiveRun run = objective.Begin(model, TinyModels.Options, CPU);

        Tensor loss = run.Loss(batch);
        (loss * 0.5).backward();
        Tensor whole = optimizer.Gradients.clone();
        optimizer.ZeroGrad();

        using var workers = new GradientWorkers(optimizer, threads, precision, model.Encoder.Noise, seed: 1);
        var parts = new StepLoss(() => run.Loss(batch)) { OfPart = (from, to) => run.Loss(new PartOfBatch(batch, from, to)), RowsPerImage = rowsPerImage };
        for (int again = 0; again < 2; again++)
        {
            Assert.AreEqual(loss.ToDouble(), workers.AddGradients(parts, 11, share: 0.5, place: 0), tolerance);
            Assert.AreEqual(0, (optimizer.Gradients - whole).abs().max().ToDouble(), tolerance);
            optimizer.ZeroGrad();
        }
        workers.AddGradients(parts, 11, share: 0.25, place: 0);
        workers.AddGradients(parts, 11, share: 0.25, place: 0);   // as where gradients are accumulated
        Assert.AreEqual(0, (optimizer.Gradients - whole).abs().max().ToDouble(), tolerance);
    }

    [TestMethod]
    public void WhatFailsOnAThreadFailsTheStepAndTheNextStepCanGoOn()
    {
        using var model = new MaskedAutoencoder(TinyModels.Encoder, seed: 1);
        using var optimizer = new AdamW(ParameterGroup.Of(model, 0.05));
        using var workers = new GradientWorkers(optimizer, 2, Precision.Float32, noise: null, seed: 1);
        var failing = new StepLoss(() => zeros(1)) { OfPart = (from, _) => from > 0 ? throw new InvalidOperationException("part") : Sum(model) };
        Assert.AreEqual("part", Assert.ThrowsExactly<InvalidOperationException>(() => workers.AddGradients(failing, 4, 1, 0)).Message);
        optimizer.ZeroGrad();
        workers.AddGradients(failing with { OfPart = (_, _) => Sum(model) }, 4, 1, 0);
        using DisposeScope scope = NewDisposeScope();
        Assert.AreEqual(1, optimizer.Gradients.max().ToDouble(), 1e-6);
        Assert.AreEqual(1, optimizer.Gradients.min().ToDouble(), 1e-6);
    }

    [TestMethod]
    public void TheThreadsLeaveLibtorchItsNumberOfThreads()
    {
        NativeTuning.Apply();
        using var model = new MaskedAutoencoder(TinyModels.Encoder, seed: 1);
        using var optimizer = new AdamW(ParameterGroup.Of(model, 0.05));
        using (var workers = new GradientWorkers(optimizer, 3, Precision.Float32, noise: null, seed: 1))
            workers.AddGradients(new StepLoss(() => Sum(model)) { OfPart = (_, _) => Sum(model) }, 4, 1, 0);
        Assert.AreEqual(NativeTuning.Threads, get_num_threads());
        int elsewhere = 0;
        var thread = new Thread(() => elsewhere = get_num_threads());
        thread.Start();
        thread.Join();
        Assert.AreEqual(NativeTuning.Threads, elsewhere);
    }

    private static Tensor Sum(MaskedAutoencoder model) => model.parameters().Select(p => p.sum()).Aggregate((a, b) => a + b);
}
