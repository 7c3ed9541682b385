using Smae.Export;
using Smae.Training;
using TorchSharp;

namespace Smae.Benchmarks;

/// <summary>Smae's side of a comparison, in a process of its own: the same work as <c>pytorch/peer.py</c>, through the public API.</summary>
internal static class SmaeSide
{
    public static void Run(SideSettings settings)
    {
        switch (settings.Job)
        {
            case "train" or "smae": Train(settings); break;
            case "encode": Encode(settings); break;
            case "onnx": EncodeOnnx(settings, OnnxPrecision.Float32); break;
            case "onnx-int8": EncodeOnnx(settings, OnnxPrecision.Int8); break;
            case "batch": MakeBatches(settings); break;
            case "matmul": Multiply(settings); break;
            default: throw new ArgumentException($"There is no job '{settings.Job}'.", nameof(settings));
        }
    }

    private static void Train(SideSettings settings)
    {
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
            Objective objective = settings.Job == "smae" ? Objective.Semantic(0.5, critic) : Objective.Pixel();
            MaePretraining.Run(images, Options(settings) with
            {
                Objective = new CountedObjective(objective, gate.LossMade), Progress = gate, CancellationToken = gate.Over,
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

    private static MaePretrainOptions Options(SideSettings settings) => new()
    {
        Encoder = settings.Model.ToEncoder(), Decoder = settings.Model.ToDecoder(), Masking = Masking.Random(settings.Ratio),
        Augmentation = settings.Augment ? Augmentation.HorizontalFlip().Then(Augmentation.RandomResizedCrop(0.2, 1)) : null,
        BatchSize = settings.Batch, AccumulationSteps = settings.Accumulation, Epochs = 1_000_000, WarmupEpochs = 0, LearningRate = 1e-4,
        WeightDecay = 0.05, Precision = settings.Bf16 ? Precision.BFloat16 : Precision.Float32,
    };

    /// <summary>What the training loop makes before a step's forward pass: pixels gathered, augmented and normalised, and masks.</summary>
    private static void MakeBatches(SideSettings settings)
    {
        NativeTuning.Apply();
        MaePretrainOptions options = Options(settings);
        using ImageStore images = Noise(settings, 16 * settings.Batch);
        using var normalizer = new ImageNormalizer(options.Preprocessing, torch.device(settings.Device));
        using var random = new RandomStream(0);
        long step = 0;
        RoundGate.Each(() =>
        {
            for (int i = 0; i < settings.Steps; i++, step++)
            {
                using DisposeScope scope = torch.NewDisposeScope();
                var shuffled = new Random((int)step);
                long[] order = [.. Enumerable.Range(0, settings.Batch).Select(_ => (long)shuffled.Next((int)images.Count))];
                normalizer.Normalize(images.Batch(order), options.Augmentation, random.SequenceAt(RandomUse.Augmentation, step));
                options.Masking.Draw(order.Length, options.Encoder.GridHeight, options.Encoder.GridWidth, random.At(RandomUse.Mask, step));
            }
        });
    }

    private static void Encode(SideSettings settings)
    {
        using var encoder = ImageEncoder.Create(settings.Model.ToEncoder(), device: torch.device(settings.Device));
        encoder.Model.Precision = settings.Bf16 ? Precision.BFloat16 : Precision.Float32;
        byte[] pixels = Pixels(settings, encoder);
        var embeddings = new float[settings.Batch * encoder.EmbedDim];
        RoundGate.Each(() =>
        {
            for (int i = 0; i < settings.Steps; i++) encoder.Embed(pixels, settings.Batch, embeddings);
        });
    }

    private static void EncodeOnnx(SideSettings settings, OnnxPrecision precision)
    {
        string file = Path.Combine(Path.GetTempPath(), $"{Path.GetRandomFileName()}.onnx");
        try
        {
            using var encoder = ImageEncoder.Create(settings.Model.ToEncoder());
            encoder.ExportOnnx(file, new OnnxExportOptions { Precision = precision });
            using OnnxImageModel model = OnnxImageModel.Load(file, new OnnxScoringOptions { BatchSize = settings.Batch });
            byte[] pixels = Pixels(settings, encoder);
            var embeddings = new float[settings.Batch * model.OutputLength];
            RoundGate.Each(() =>
            {
                for (int i = 0; i < settings.Steps; i++) model.Run(pixels, settings.Batch, embeddings);
            });
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
        torch.ScalarType type = settings.Bf16 ? torch.ScalarType.BFloat16 : torch.ScalarType.Float32;
        using torch.Tensor one = torch.rand(settings.Side, settings.Side, device: torch.device(settings.Device)).to_type(type);
        RoundGate.Each(() =>
        {
            using DisposeScope scope = torch.NewDisposeScope();
            torch.Tensor product = one;
            for (int i = 0; i < settings.Steps; i++) product = torch.matmul(one, one);
            product[0, 0].to_type(torch.ScalarType.Float32).ToSingle();   // waits for a GPU
        });
    }

    private static byte[] Pixels(SideSettings settings, ImageEncoder encoder)
    {
        var pixels = new byte[settings.Batch * encoder.Preprocessing.ByteCount];
        new Random(0).NextBytes(pixels);
        return pixels;
    }

    private static ImageStore Noise(SideSettings settings, int count)
    {
        var images = new ImageStore(settings.Model.Image, settings.Model.Image);
        var random = new Random(0);
        for (int i = 0; i < count; i++) random.NextBytes(images.Add());
        return images;
    }
}
