using Smae.Training;
using TorchSharp;

namespace Smae.Benchmarks;

/// <summary>Smae's side of a comparison, in a process of its own: the same work as <c>pytorch/peer.py</c>, through the public API.</summary>
internal static class SmaeSide
{
    public static void Run(SideSettings settings)
    {
        if (settings.Job == "encode") Encode(settings);
        else Train(settings);
    }

    private static void Train(SideSettings settings)
    {
        var gate = new RoundGate();
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
                Objective = settings.Job == "smae" ? Objective.Semantic(0.5, critic) : Objective.Pixel(),
                BatchSize = settings.Batch, Epochs = 1_000_000, WarmupEpochs = 0, LearningRate = 1e-4, WeightDecay = 0.05,
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

    private static void Encode(SideSettings settings)
    {
        using var encoder = ImageEncoder.Create(settings.Model.ToEncoder(), device: torch.device(settings.Device));
        encoder.Model.Precision = settings.Bf16 ? Precision.BFloat16 : Precision.Float32;
        var pixels = new byte[settings.Batch * encoder.Preprocessing.ByteCount];
        new Random(0).NextBytes(pixels);
        var embeddings = new float[settings.Batch * encoder.EmbedDim];
        RoundGate.Each(() =>
        {
            for (int i = 0; i < settings.Steps; i++) encoder.Embed(pixels, settings.Batch, embeddings);
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
