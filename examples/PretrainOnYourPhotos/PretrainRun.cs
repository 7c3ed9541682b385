using System.Globalization;
using Examples;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using Smae.Export;
using Smae.MLNet;
using Smae.Training;
using TorchSharp;

namespace PretrainOnYourPhotos;

/// <summary>What the command line asked for.</summary>
internal sealed record PretrainSettings(
    DirectoryInfo Photos, DirectoryInfo Output, TimeSpan Time, int? Epochs, int ImageSize, bool GoOn, TimeSpan CheckpointInterval, bool Shards,
    int Seed, int? GpuDeviceId);

/// <summary>From a folder of photos to an encoder, as weights and as ONNX, and a report to judge it by.</summary>
internal static class PretrainRun
{
    private const int Reconstructed = 8, Asked = 6, Searched = 500, HeldOut = 256;

    public static void Run(PretrainSettings settings, CancellationToken cancellation)
    {
        DataParallel? ranks = Processes.Join() is { } joined ? joined with { Sharded = settings.Shards } : null;   // all do the same up to the end of training
        torch.Device device = Gpu.Of(settings.GpuDeviceId);
        if (ranks.IsFirst()) settings.Output.Create();
        string Out(string file) => Path.Combine(settings.Output.FullName, file);
        var ml = new MLContext(settings.Seed) { GpuDeviceId = settings.GpuDeviceId, FallbackToCpu = false };
        ml.Log += (_, e) =>
        {
            bool isPlan = e.Source.Contains("MaePretrain", StringComparison.Ordinal) && e.Kind == ChannelMessageKind.Info
                && !e.RawMessage.StartsWith("epoch", StringComparison.Ordinal);   // how the run goes, ConsoleProgress shows
            if (ranks.IsFirst() && (e.Kind >= ChannelMessageKind.Warning || isPlan)) Console.Error.WriteLine(e.RawMessage);
        };
        IReadOnlyList<ImageRow> rows = ImageRow.In(settings.Photos);
        int count = ranks is not { Sharded: true } ? rows.Count
            : ranks.OfAll((string[])[Environment.MachineName, settings.Photos.FullName, $"{rows.Count}"]).DistinctBy(s => (s[0], s[1])).Sum(s => int.Parse(s[2]));
        IDataView photos = ml.Data.Cache(ml.Data.LoadFromEnumerable(rows));   // the cache lets ML.NET shuffle

        using RunLog? log = ranks.IsFirst() ? new RunLog(settings.Output.FullName, new ConsoleProgress()) : null;
        MaePretrainOptions options = Options(settings, count, device) with
        {
            HeldOutImages = count < 20 ? 0 : Math.Min(HeldOut, count / 10), Progress = log, CancellationToken = cancellation, Distributed = ranks,
        };
        using MaeTransformer embedder = ml.Transforms.MaePretrain("Embedding", "ImagePath", options).Fit(photos);
        if (!ranks.IsFirst()) return;
        MaePretrainResult result = embedder.Pretraining!;

        embedder.Encoder.Save(Out("encoder.safetensors"));
        OnnxExportResult onnx = embedder.Encoder.ExportOnnx(Out("encoder.onnx"));
        WriteReport(Out("report.html"), ml, photos, count, result, options, onnx, settings, device);
        Console.WriteLine($"loss {result.FirstLoss:F4} -> {result.LastLoss:F4}, {result.ImagesPerSecond:F0} images/s");
        Console.WriteLine($"{settings.Output.FullName}: encoder.safetensors, encoder.onnx, report.html, progress.csv");
    }

    /// <summary>What suits so many photos on this device, in the time there is; README.md says what to change.</summary>
    private static MaePretrainOptions Options(PretrainSettings settings, int photos, torch.Device device)
    {
        MaePretrainOptions options = Recipes.ForImages(photos, settings.ImageSize, device);
        string checkpoints = Path.Combine(settings.Output.FullName, "checkpoints");
        return options with
        {
            TimeBudget = settings.Time, Epochs = settings.Epochs ?? options.Epochs, Seed = settings.Seed,
            RecoverFromNonFiniteLoss = 3,
            Checkpoints = new CheckpointOptions
            {
                Directory = checkpoints, Interval = settings.CheckpointInterval, ContinueFrom = settings.GoOn ? checkpoints : null,
            },
        };
    }

    private static void WriteReport(
        string path, MLContext ml, IDataView photos, int count, MaePretrainResult result, MaePretrainOptions options, OnnxExportResult onnx,
        PretrainSettings settings, torch.Device device)
    {
        using ImageStore sample = ml.Data.LoadImageStore(
            ml.Data.TakeRows(ml.Data.ShuffleRows(photos, seed: settings.Seed), Searched), "ImagePath", options.Preprocessing,
            new ImageReadOptions { BrokenImages = BrokenImagePolicy.Skip });
        long[] First(int count) => [.. Enumerable.Range(0, (int)Math.Min(count, sample.Count))];
        int scale = Math.Max(1, 128 / settings.ImageSize);

        var report = new HtmlReport($"Pretraining on {settings.Photos.Name}")
            .AddFacts("Result",
                ("photos", $"{count}"), ("loss", Invariant($"{result.FirstLoss:F4} -> {result.LastLoss:F4}")),
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
