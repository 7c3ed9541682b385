using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using Smae.MLNet;
using Smae.Training;

namespace Quickstart;

/// <summary>The main job from end to end: images, pretraining, embeddings, a linear probe, figures and a picture.</summary>
internal static class QuickstartRun
{
    private const int ImagesInPicture = 8;

    public static void Run(QuickstartSettings settings, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        settings.Output.Create();
        string output = settings.Output.FullName;

        var ml = new MLContext(settings.Seed) { GpuDeviceId = settings.GpuDeviceId, FallbackToCpu = false };
        ml.Log += (_, e) => { if (e.Kind >= Microsoft.ML.Runtime.ChannelMessageKind.Warning) Console.Error.WriteLine(e.Message); };

        string folder = settings.Data?.FullName ?? DrawnImages.Write(Path.Combine(output, "images"), settings.ImageSize, settings.Seed);
        (IDataView train, IDataView validation) = Load(ml, folder);

        // 1. Pretrain: the labels are not looked at.
        MaeTransformer pretrained = null!;
        var options = new MaePretrainOptions
        {
            Encoder = VisionTransformerConfig.VitTiny16.ForImages(settings.ImageSize, patchSize: 4) with { Depth = 6, NumHeads = 3 },
            Decoder = DecoderConfig.Mae with { EmbedDim = 96, Depth = 1, NumHeads = 3 },
            Epochs = settings.Epochs, BatchSize = 64, LearningRate = 2e-3, WeightDecay = 0.05, WarmupEpochs = Math.Min(2, settings.Epochs / 2.0),
            Precision = settings.Precision ?? Hardware.FastestPrecision(settings.GpuDeviceId is not null),
            Seed = settings.Seed, CancellationToken = cancellation,
        };
        ConsoleProgress.Show("Pretraining", progress =>
            pretrained = ml.Transforms.MaePretrain("Embedding", "ImagePath", options with { Progress = progress }).Fit(train));
        MaePretrainResult result = pretrained.Pretraining!;

        // 2. Embed with the pretrained encoder and with a random one of the same shape, and train the same linear classifier on both.
        double accuracy = ProbeAccuracy(ml, result.Encoder, train, validation);
        using var random = ImageEncoder.Create(options.Encoder, settings.Seed);
        random.Model.Precision = options.Precision;
        double baseline = ProbeAccuracy(ml, random, train, validation);

        // 3. Keep what was learned.
        result.Encoder.Save(Path.Combine(output, "encoder.safetensors"));
        SavePicture(result, validation, ml, options, Path.Combine(output, "reconstructions.png"));
        var metrics = new Metrics
        {
            Dataset = settings.Data is null ? "drawn shapes" : settings.Data.Name, TrainImages = Count(train), ValidationImages = Count(validation),
            Epochs = settings.Epochs, Seconds = clock.Elapsed.TotalSeconds, ImagesPerSecond = result.ImagesPerSecond,
            FirstLoss = result.FirstLoss, LastLoss = result.LastLoss, ProbeAccuracyPretrained = accuracy, ProbeAccuracyRandom = baseline,
        };
        metrics.Write(Path.Combine(output, "metrics.json"));
        Console.WriteLine($"{metrics.TrainImages} images, {metrics.Epochs} epochs, {metrics.ImagesPerSecond:F0} images/s, loss {metrics.FirstLoss:F4} -> {metrics.LastLoss:F4}");
        Console.WriteLine($"linear probe on {metrics.ValidationImages} validation images: {accuracy:P1} pretrained, {baseline:P1} with random weights");
        Console.WriteLine($"{output}: metrics.json, reconstructions.png, encoder.safetensors ({clock.Elapsed:mm\\:ss})");
    }

    private static (IDataView Train, IDataView Validation) Load(MLContext ml, string folder)
    {
        (IDataView Train, IDataView Validation) images;
        try
        {
            images = (ml.Data.LoadImageFolder(folder, ImageFolderSplit.Train), ml.Data.LoadImageFolder(folder, ImageFolderSplit.Validation));
        }
        catch (ArgumentException e) when (e.ParamName == "split")   // class folders without train and val: keep a random fifth for validation
        {
            var split = ml.Data.TrainTestSplit(ml.Data.LoadImageFolder(folder), testFraction: 0.2);
            images = (split.TrainSet, split.TestSet);
        }
        if (images.Train.GetColumn<string>("Label").Distinct().Take(2).Count() < 2)
            throw new ArgumentException($"'{folder}' has images of one class only: the probe needs labels, so put the images of each class into a folder of their own.");
        return images;
    }

    private static double ProbeAccuracy(MLContext ml, ImageEncoder encoder, IDataView train, IDataView validation)
    {
        var probe = ml.Transforms.Conversion.MapValueToKey("Label")
            .Append(ml.Transforms.MaeEmbedding("Embedding", "ImagePath", encoder))
            .AppendCacheCheckpoint(ml)   // what follows goes over its data many times: embed once
            .Append(ml.Transforms.NormalizeMeanVariance("Embedding", fixZero: false))
            .Append(ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Label", "Embedding"));
        ITransformer model = probe.Fit(train);
        return ml.MulticlassClassification.Evaluate(model.Transform(validation)).MicroAccuracy;
    }

    private static void SavePicture(MaePretrainResult result, IDataView view, MLContext ml, MaePretrainOptions options, string path)
    {
        using ImageStore images = ml.Data.LoadImageStore(ml.Data.TakeRows(ml.Data.ShuffleRows(view), ImagesInPicture), "ImagePath", options.Preprocessing);
        long[] all = [.. Enumerable.Range(0, (int)images.Count)];
        (int width, int height, byte[] rgba) = ReconstructionGrid.Draw(result.Model, images, all, options, scale: Math.Max(1, 128 / options.Encoder.ImageWidth));
        using var picture = MLImage.CreateFromPixels(width, height, MLPixelFormat.Rgba32, rgba);
        picture.Save(path);
    }

    private static long Count(IDataView view) => view.GetRowCount() ?? view.GetColumn<string>("ImagePath").LongCount();
}
