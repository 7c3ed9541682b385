using System.Diagnostics;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training.Tests;

/// <summary>Several threads make together the gradients that one makes alone, and leave the process as it was.</summary>
[TestClass]
public sealed partial class CpuGradientsTests
{
    private const int Images = 11;

    [TestMethod]
    [DataRow(2, 1, Precision.Float32)]
    [DataRow(3, 2048, Precision.Float32)]   // parts of two images and of one
    [DataRow(16, 1, Precision.Float32)]    // more threads than images
    [DataRow(2, 2048, Precision.BFloat16)]
    public void TogetherTheyMakeTheGradientOfTheWholeBatch(int threads, int rowsPerImage, Precision precision) => WithThreads(threads, () =>
    {
        using DisposeScope scope = NewDisposeScope();
        using var model = new MaskedAutoencoder(TinyModels.Encoder, seed: 1);
        model.Precision = precision;
        using var optimizer = new AdamW(ParameterGroup.Of(model, 0.05));
        // In bfloat16 each part rounds gradients for itself.
        double tolerance = precision == Precision.BFloat16 ? 0.01 : 1e-5;
        using var generator = new Generator(5);
        var batch = new GivenBatch(randn(Images, 3, 16, 16), Masking.Random().Draw(Images, 4, 4, generator));
        using ObjectiveRun run = Objective.Pixel().Begin(model, TinyModels.Options, CPU);

        Tensor loss = run.Loss(batch);
        (loss * 0.5).backward();
        Tensor whole = optimizer.Gradients.clone();
        optimizer.ZeroGrad();

        using CpuGradients gradients = CpuGradients.Create(optimizer, model.Encoder.Noise)!;
        for (int again = 0; again < 2; again++)
        {
            Assert.AreEqual(loss.ToDouble(), gradients.Add(Images, rowsPerImage, run.Loss, batch.Slice, share: 0.5, noiseSeed: 0, first: 0), tolerance);
            Assert.AreEqual(0, (optimizer.Gradients - whole).abs().max().ToDouble(), tolerance);
            optimizer.ZeroGrad();
        }
        for (int half = 0; half < 2; half++)   // as where gradients are accumulated
            gradients.Add(Images, rowsPerImage, run.Loss, batch.Slice, share: 0.25, noiseSeed: 0, first: 0);
        Assert.AreEqual(0, (optimizer.Gradients - whole).abs().max().ToDouble(), tolerance);
    });

    [TestMethod]
    public void WhatFailsOnAThreadFailsTheStepAndTheNextStepCanGoOn() => WithThreads(2, () =>
    {
        using var model = new MaskedAutoencoder(TinyModels.Encoder, seed: 1);
        using var optimizer = new AdamW(ParameterGroup.Of(model, 0.05));
        using CpuGradients gradients = CpuGradients.Create(optimizer, noise: null)!;
        double Add(Func<int, Tensor> loss) => gradients.Add(4, 512, loss, (from, _) => from, 1, 0, 0);
        Assert.AreEqual("part", Assert.ThrowsExactly<InvalidOperationException>(
            () => Add(from => from > 0 ? throw new InvalidOperationException("part") : Sum(model))).Message);
        optimizer.ZeroGrad();
        Add(_ => Sum(model));
        using DisposeScope scope = NewDisposeScope();
        Assert.AreEqual(1, optimizer.Gradients.max().ToDouble(), 1e-6);
        Assert.AreEqual(1, optimizer.Gradients.min().ToDouble(), 1e-6);
    });

    /// <summary>A whole run both ways, with all that touches gradients: the numbers differ by the order of sums only.</summary>
    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    public void ARunWithoutTheFastPathIsTheSame(int accumulation)
    {
        using ImageStore images = TinyModels.Images(24);
        MaePretrainOptions options = TinyModels.Options with { AccumulationSteps = accumulation, ClipGradientNorm = 1, WeightAverageDecay = 0.9 };
        double[] Losses(bool plain)
        {
            MaePretrainResult result = MaePretraining.Run(images, options with { Plain = plain });
            using MaskedAutoencoder model = result.Model;
            return [.. result.History.Select(epoch => epoch.Loss)];
        }
        foreach ((double fast, double plain) in Losses(false).Zip(Losses(true))) Assert.AreEqual(plain, fast, 1e-5 * plain);
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(3)]
    public void AnApplicationsNumberOfThreadsHolds(int threads) => WithThreads(threads, () =>
    {
        using ImageStore images = TinyModels.Images(16);
        MaePretraining.Run(images, TinyModels.Options).Model.Dispose();
        Assert.AreEqual(threads, get_num_threads());
        int elsewhere = 0;
        var thread = new Thread(() => elsewhere = get_num_threads());
        thread.Start();
        thread.Join();
        Assert.AreEqual(threads, elsewhere);
    });

    /// <summary>In a process of its own, since the settings are for a whole process and other tests train.</summary>
    [TestMethod]
    [TestCategory("Process")]
    public void AProcessThatOnlyEmbedsIsLeftAlone()
    {
        if (!OperatingSystem.IsLinux()) Assert.Inconclusive("There is nothing to set here.");
        string dotnet = Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet";
        var start = new ProcessStartInfo(dotnet, ["exec", typeof(CpuGradientsTests).Assembly.Location, EmbedOnlyArgument]) { RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        Assert.AreEqual("same threads, mapped before: True, after embedding: True, after training: False", output);
    }

    internal const string EmbedOnlyArgument = "embed-only";

    /// <summary>What <see cref="AProcessThatOnlyEmbedsIsLeftAlone"/> starts.</summary>
    internal static void EmbedOnly()
    {
        int threads = get_num_threads();
        bool before = LargeBlocksAreMapped();
        using ImageEncoder encoder = ImageEncoder.Create(TinyModels.Encoder);
        encoder.Embed(new byte[300 * 16 * 16 * 3], 300, new float[300 * encoder.EmbedDim]);
        bool embedded = LargeBlocksAreMapped(), same = threads == get_num_threads();
        using ImageStore images = TinyModels.Images(8);
        MaePretraining.Run(images, TinyModels.Options).Model.Dispose();
        Console.WriteLine(
            $"{(same ? "same" : "other")} threads, mapped before: {before}, after embedding: {embedded}, after training: {LargeBlocksAreMapped()}");
    }

    /// <summary>Whether malloc maps a large block instead of keeping it, which is its default.</summary>
    private static unsafe bool LargeBlocksAreMapped()
    {
        nuint Mapped() => mallinfo2().MappedBlocks;
        nuint before = Mapped();
        void* block = NativeMemory.Alloc(64 << 20);
        nuint after = Mapped();
        NativeMemory.Free(block);
        return after > before;
    }

    private static void WithThreads(int threads, Action test)
    {
        int before = get_num_threads();
        set_num_threads(threads);
        try
        {
            test();
        }
        finally
        {
            set_num_threads(before);
        }
    }

    private static Tensor Sum(MaskedAutoencoder model) => model.parameters().Select(p => p.sum()).Aggregate((a, b) => a + b);

    [StructLayout(LayoutKind.Sequential)]
    private struct MallocInfo
    {
        public nuint Arena, FreeBlocks, FastBlocks, MappedBlocks, MappedBytes, Unused, FreeFast, Used, Free, Top;
    }

    [LibraryImport("libc")]
    private static partial MallocInfo mallinfo2();

    [TestMethod]
    public void Threads_that_begin_to_use_libtorch_while_a_run_makes_its_own_have_all_of_libtorchs()
    {
        int all = torch.get_num_threads();
        bool done = false;
        var seen = new List<int>();
        var others = new Thread(() =>
        {
            while (!Volatile.Read(ref done))
            {
                var fresh = new Thread(() => seen.Add(torch.get_num_threads()));
                fresh.Start();
                fresh.Join();
            }
        });
        others.Start();
        for (int i = 0; i < 50; i++)
        {
            using var threads = new CoreThreads();
            int[] own = new int[threads.Count];
            threads.Run(threads.Count, (thread, part) => own[part] = torch.get_num_threads());
            CollectionAssert.AreEqual(Enumerable.Repeat(all / threads.Count, own.Length).ToArray(), own);
        }
        Volatile.Write(ref done, true);
        others.Join();
        Assert.AreEqual(all, torch.get_num_threads());
        CollectionAssert.AreEqual(Enumerable.Repeat(all, seen.Count).ToArray(), seen);
    }
}
