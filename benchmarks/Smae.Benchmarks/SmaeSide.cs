using System.Diagnostics;
using System.Text.Json;
using Smae.Export;
using Smae.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Benchmarks;

/// <summary>One side of a comparison, in a process of its own. Smae is used through its public API.</summary>
internal static class SmaeSide
{
    public static void Run(SideSettings settings)
    {
        switch (settings.Job)
        {
            case "train" or "smae" or "allreduce": Train(settings); break;
            case "fine-tune" or "supervised": TrainClassifier(settings); break;
            case "encode": Encode(settings); break;
            case "onnx": EncodeOnnx(settings, OnnxPrecision.Float32); break;
            case "onnx-int8": EncodeOnnx(settings, OnnxPrecision.Int8); break;
            case "batch": MakeBatches(settings); break;
            case "matmul": Multiply(settings); break;
            case "plain": PlainTorchSharp.Train(settings); break;
            case "decode" or "decode-skia" or "decode-mlnet": DecodeSide.Run(settings); break;
            default: throw new ArgumentException($"There is no job '{settings.Job}'.", nameof(settings));
        }
    }

    private static void Train(SideSettings settings)
    {
        DataParallel? ranks = settings.Ranks > 0 ? DataParallel.FromEnvironment() : null;
        var gate = new RoundGate(settings.Sampled);
        using ImageStore images = Noise(settings, settings.Steps * settings.Batch);
        string critic = Path.Combine(Path.GetTempPath(), $"{Path.GetRandomFileName()}.safetensors");
        try
        {
            if (settings.Job == "smae")
            {
                using var network = new SqueezeNet(classes: 20);
                network.Save(critic);
            }
            MaePretraining.Run(images, new MaePretrainOptions
            {
                Encoder = settings.Model.ToEncoder(), Decoder = settings.Model.ToDecoder(), Masking = Masking.Random(settings.Ratio),
                Objective = settings.Job switch
                {
                    "smae" => Objective.Semantic(0.5, critic), "allreduce" => new SummedPixels(settings.Numbers), _ => new CountedPixels(gate.LossMade),
                },
                Distributed = ranks,
                BatchSize = settings.Batch, AccumulationSteps = settings.Accumulation,
                Epochs = 1_000_000, WarmupEpochs = 0, LearningRate = 1e-4, WeightDecay = 0.05,
                Precision = settings.Bf16 ? Precision.BFloat16 : Precision.Float32, Progress = gate, CancellationToken = gate.Over,
            }, torch.device(settings.Device));
        }
        catch (OperationCanceledException)
        {
            // the other process wants no more rounds
        }
        finally
        {
            File.Delete(critic);
            File.Delete(Path.ChangeExtension(critic, ".json"));
        }
    }

    /// <summary>A classifier of all patches: as MAE fine-tunes an encoder, or from scratch.</summary>
    private static void TrainClassifier(SideSettings settings)
    {
        var gate = new RoundGate(settings.Sampled);
        bool tuned = settings.Job == "fine-tune";
        using ImageStore images = Noise(settings, settings.Steps * settings.Batch);
        using ImageEncoder? encoder = tuned ? ImageEncoder.Create(settings.Model.ToEncoder()) : null;
        try
        {
            FineTuning.Run(new LabelledImages(images, [.. Enumerable.Range(0, (int)images.Count).Select(i => i % 4)]), null, new FineTuneOptions
            {
                Encoder = encoder, Architecture = tuned ? null : settings.Model.ToEncoder(), LayerDecay = tuned ? 0.75 : 1, DropPath = tuned ? 0.1 : 0,
                ClassNames = ["a", "b", "c", "d"], BatchSize = settings.Batch, Epochs = 1_000_000, WarmupEpochs = 0, LearningRate = 1e-4,
                Precision = settings.Bf16 ? Precision.BFloat16 : Precision.Float32, Progress = gate, CancellationToken = gate.Over,
            }, torch.device(settings.Device));
        }
        catch (OperationCanceledException)
        {
            // the other process wants no more rounds
        }
    }

    /// <summary>What a training loop makes before a step's forward pass: pixels gathered, augmented and normalised, and masks.</summary>
    private static void MakeBatches(SideSettings settings)
    {
        NativeTuning.Apply();
        Augmentation augmentation = Augmentation.HorizontalFlip().Then(Augmentation.RandomResizedCrop(0.2, 1));
        Masking masking = Masking.Random(settings.Ratio);
        using ImageStore images = Noise(settings, 16 * settings.Batch);
        Device device = torch.device(settings.Device);
        using Tensor mean = tensor([0.485f, 0.456f, 0.406f], [1, 3, 1, 1], device: device);
        using Tensor deviation = tensor([0.229f, 0.224f, 0.225f], [1, 3, 1, 1], device: device);
        using Scalar brightest = 255;   // held: TorchSharp lets go of it during the call
        using var generator = new Generator(0, CPU);
        var random = new Random(0);
        int grid = settings.Model.Image / settings.Model.Patch;
        RoundGate.Each(() =>
        {
            for (int i = 0; i < settings.Steps; i++)
            {
                using DisposeScope scope = NewDisposeScope();
                long[] picked = [.. Enumerable.Range(0, settings.Batch).Select(_ => random.NextInt64(images.Count))];
                Tensor pixels = images.Batch(picked).to(device).permute(0, 3, 1, 2).to_type(ScalarType.Float32).div_(brightest);
                if (settings.Augment) pixels = augmentation.Apply(pixels, random.NextInt64());
                pixels.sub_(mean).div_(deviation);
                masking.Draw(settings.Batch, grid, grid, generator).To(device);
            }
        });
    }

    private static void Encode(SideSettings settings)
    {
        NativeTuning.Apply();
        using var encoder = ImageEncoder.Create(settings.Model.ToEncoder(), device: torch.device(settings.Device));
        encoder.Model.Precision = settings.Bf16 ? Precision.BFloat16 : Precision.Float32;
        Embed(settings, encoder, (pixels, embeddings) => encoder.Embed(pixels, settings.Batch, embeddings));
    }

    private static void EncodeOnnx(SideSettings settings, OnnxPrecision precision)
    {
        string file = Path.Combine(Path.GetTempPath(), $"{Path.GetRandomFileName()}.onnx");
        try
        {
            using var encoder = ImageEncoder.Create(settings.Model.ToEncoder());
            encoder.ExportOnnx(file, new OnnxExportOptions { Precision = precision });
            using OnnxImageModel model = OnnxImageModel.Load(file, new OnnxScoringOptions { BatchSize = settings.Batch });
            Embed(settings, encoder, (pixels, embeddings) => model.Run(pixels, settings.Batch, embeddings));
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>The rate of this machine's matrix products, through the same library as the model's.</summary>
    private static void Multiply(SideSettings settings)
    {
        NativeTuning.Apply();
        using Tensor one = rand(settings.MatrixSide, settings.MatrixSide, device: torch.device(settings.Device))
            .to_type(settings.Bf16 ? ScalarType.BFloat16 : ScalarType.Float32);
        RoundGate.Each(() =>
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor product = one;
            for (int i = 0; i < settings.Steps; i++) product = matmul(one, one);
            product[0, 0].to_type(ScalarType.Float32).cpu().item<float>();   // waits for a GPU
        });
    }

    private static void Embed(SideSettings settings, ImageEncoder encoder, Action<byte[], float[]> run)
    {
        var pixels = new byte[settings.Batch * encoder.Preprocessing.ByteCount];
        var embeddings = new float[settings.Batch * encoder.EmbedDim];
        new Random(0).NextBytes(pixels);
        RoundGate.Each(() =>
        {
            for (int i = 0; i < settings.Steps; i++) run(pixels, embeddings);
        });
    }

    private static ImageStore Noise(SideSettings settings, int count)
    {
        var images = new ImageStore(settings.Model.Image, settings.Model.Image);
        var random = new Random(0);
        for (int i = 0; i < count; i++) random.NextBytes(images.Add());
        return images;
    }
}

/// <summary>Lets a pretraining run go on for one epoch for each line on standard input and prints what the epoch took; the end of the input ends the run.</summary>
/// <param name="sampled">Whether it is sampled what of an epoch is managed code; that slows it down a little.</param>
internal sealed class RoundGate(bool sampled) : IProgress<TrainingProgress>
{
    private readonly CancellationTokenSource _over = new();
    private readonly Stopwatch _clock = new();
    private long _allocated, _losses;
    private ManagedTime? _managed;
    private bool _warm;

    public CancellationToken Over => _over.Token;

    /// <summary>Told whenever a loss is made, on any thread.</summary>
    public void LossMade()
    {
        if (sampled) ManagedTime.LookAtThisThread();
        Interlocked.Increment(ref _losses);
    }

    public void Report(TrainingProgress value)
    {
        if (!value.EpochEnded) return;
        if (sampled) ManagedTime.LookAtThisThread();   // the loop's own
        if (_warm) Write(Round(_clock, _allocated) with { Losses = _losses, ManagedThreads = _managed?.Stop() ?? 0 });
        else Write(Start());
        _warm = true;
        if (Console.In.ReadLine() is null) _over.Cancel();
        else if (sampled) _managed = new ManagedTime();
        _allocated = GC.GetTotalAllocatedBytes();
        _losses = 0;
        _clock.Restart();
    }

    /// <summary>Does <paramref name="work"/> once for each line, after a first time that does not count.</summary>
    public static void Each(Action work)
    {
        work();
        Write(Start());
        while (Console.In.ReadLine() is not null)
        {
            long allocated = GC.GetTotalAllocatedBytes();
            var clock = Stopwatch.StartNew();
            work();
            Write(Round(clock, allocated));
        }
    }

    private static SideRound Round(Stopwatch clock, long allocatedBefore) => new(
        clock.Elapsed.TotalSeconds, GC.GetTotalAllocatedBytes() - allocatedBefore, Environment.WorkingSet, Tensor.TotalCount, Tensor.PeakCount);

    private static SideStart Start() => new(__version__, get_num_threads());

    private static void Write<T>(T line) => Console.WriteLine(JsonSerializer.Serialize(line, SideSettings.Json));
}

/// <summary>MAE's objective, which also tells how often a loss is asked for: in how many parts a step is done.</summary>
internal sealed record CountedPixels(Action LossMade) : Objective
{
    public override ObjectiveRun Begin(MaskedAutoencoder model, MaePretrainOptions options, Device device) =>
        new Run(Pixel().Begin(model, options, device), LossMade);

    private sealed class Run(ObjectiveRun pixel, Action lossMade) : ObjectiveRun
    {
        public override bool IsMeanOverImages => pixel.IsMeanOverImages;

        public override Tensor Loss(PretrainBatch batch)
        {
            lossMade();
            return pixel.Loss(batch);
        }
    }
}
