using System.Globalization;
using Examples;
using Microsoft.ML;
using Smae.Export;
using Smae.MLNet;
using Smae.Training;
using TorchSharp;

namespace PretrainOnYourPhotos;

/// <summary>What the command line asked for.</summary>
internal sealed record PretrainSettings(
    DirectoryInfo Photos, DirectoryInfo Output, int Epochs, int ImageSize, TimeSpan CheckpointInterval, int Seed, int? GpuDeviceId);

/// <summary>From a folder of photos to an encoder, as weights and as ONNX, and a report to judge it by.</summary>
internal static class PretrainRun
{
    private const int Reconstructed = 8, Asked = 6, Searched = 500, HeldOut = 256;

    public static void Run(PretrainSettings settings, CancellationToken cancellation)
    {
        settings.Output.Create();
        string Out(string file) => Path.Combine(settings.Output.FullName, file);
        var ml = new MLContext(settings.Seed) { GpuDeviceId = settings.GpuDeviceId, FallbackToCpu = false };
        ml.Log += (_, e) => { if (e.Kind >= Microsoft.ML.Runtime.ChannelMessageKind.Warning) Console.Error.WriteLine(e.Message); };
        IDataView photos = ml.Data.Cache(ml.Data.LoadFromEnumerable(ImageRow.In(settings.Photos)));   // the cache lets ML.NET shuffle

        using var log = new RunLog(settings.Output.FullName, new ConsoleProgress());
        long count = photos.GetRowCount() ?? 0;
        MaePretrainOptions options = Options(settings) with { HeldOutImages = count < 20 ? 0 : (int)Math.Min(HeldOut, count / 10), Progress = log, CancellationToken = cancellation };
        using MaeTransformer embedder = ml.Transforms.MaePretrain("Embedding", "ImagePath", options).Fit(photos);
        MaePretrainResult result = embedder.Pretraining!;

        embedder.Encoder.Save(Out("encoder.safetensors"));
        OnnxExportResult onnx = embedder.Encoder.ExportOnnx(Out("encoder.onnx"));
        WriteReport(Out("report.html"), ml, photos, result, options, onnx, settings);
        Console.WriteLine($"loss {result.FirstLoss:F4} -> {result.LastLoss:F4}, {result.ImagesPerSecond:F0} images/s");
        Console.WriteLine($"{settings.Output.FullName}: encoder.safetensors, encoder.onnx, report.html, progress.csv");
    }

    /// <summary>A small vision transformer and MAE's recipe; README.md says what to change for larger ones.</summary>
    private static MaePretrainOptions Options(PretrainSettings settings) => new()
    {
        Encoder = VisionTransformerConfig.VitTiny16.ForImages(settings.ImageSize, patchSize: 8),
        Decoder = DecoderConfig.Mae with { EmbedDim = 128, Depth = 2, NumHeads = 4 },
        Masking = Masking.Random(0.75),
        Augmentation = Augmentation.RandomResizedCrop(0.2, 1).Then(Augmentation.HorizontalFlip()),
        Epochs = settings.Epochs, LearningRate = 1e-3, WeightDecay = 0.05,
        Precision = Hardware.FastestPrecision(settings.GpuDeviceId is not null),
        Seed = settings.Seed,
        Checkpoints = new CheckpointOptions
        {
            Directory = Path.Combine(settings.Output.FullName, "checkpoints"), Interval = settings.CheckpointInterval,
        },
    };

    private static void WriteReport(
        string path, MLContext ml, IDataView photos, MaePretrainResult result, MaePretrainOptions options, OnnxExportResult onnx,
        PretrainSettings settings)
    {
        using ImageStore sample = ml.Data.LoadImageStore(
            ml.Data.TakeRows(ml.Data.ShuffleRows(photos, seed: settings.Seed), Searched), "ImagePath", options.Preprocessing,
            new ImageReadOptions { BrokenImages = BrokenImagePolicy.Skip });
        long[] First(int count) => [.. Enumerable.Range(0, (int)Math.Min(count, sample.Count))];
        var device = settings.GpuDeviceId is { } gpu ? torch.device($"cuda:{gpu}") : torch.CPU;
        int scale = Math.Max(1, 128 / settings.ImageSize);

        var report = new HtmlReport($"Pretraining on {settings.Photos.Name}")
            .AddFacts("Result",
                ("photos", $"{photos.GetRowCount()}"), ("loss", Invariant($"{result.FirstLoss:F4} -> {result.LastLoss:F4}")),
                ("images a second", Invariant($"{result.ImagesPerSecond:F0}")),
                ("without labels", result.History[^1].HeldOut?.ToString() ?? "nothing was held out"),
                ("encoder", $"{result.Encoder.EmbedDim} numbers an image"), ("encoder.onnx", onnx.Proof.ToString()))
            .AddHistory("Training", result.History)
            .AddFusionWeights("Fused blocks", result.Model.Encoder)
            .AddPicture("Reconstructions", ReconstructionGrid.Draw(result.Model, sample, First(Reconstructed), options, scale, device),
                "The photo, what the encoder sees of it, and what the autoencoder makes of that.");
        if (sample.Count > 1)
            report.AddPicture("Neighbours", NeighborGrid.Draw(result.Encoder, sample, First(Asked), scale: scale),
                $"A photo, and those of {sample.Count} whose embeddings are most like its own.");
        report.AddSettings("Settings", options).Save(path);
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
