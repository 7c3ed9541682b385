using System.Diagnostics;
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Smae.Export;
using Smae.MLNet;
using Smae.Training;

namespace Quickstart;

/// <summary>The main job from end to end: pretrain, probe, fine-tune, evaluate, export, save, and score in an application without Smae.</summary>
internal sealed class QuickstartRun
{
    private const int ImagesInPicture = 8, ImagesCompared = 200;
    private readonly QuickstartSettings _settings;
    private readonly CancellationToken _cancellation;
    private readonly MLContext _ml;
    private readonly ImageSets _images;
    private readonly MaePretrainOptions _options;

    private QuickstartRun(QuickstartSettings settings, CancellationToken cancellation)
    {
        (_settings, _cancellation) = (settings, cancellation);
        settings.Output.Create();
        _ml = new MLContext(settings.Seed) { GpuDeviceId = settings.GpuDeviceId, FallbackToCpu = false };
        _ml.Log += (_, e) => { if (e.Kind >= Microsoft.ML.Runtime.ChannelMessageKind.Warning) Console.Error.WriteLine(e.Message); };
        _images = ImageSets.Load(_ml, settings.Data?.FullName ?? DrawnImages.Write(At("images"), settings.ImageSize, settings.Seed));
        _options = new MaePretrainOptions
        {
            Encoder = VisionTransformerConfig.VitTiny16.ForImages(settings.ImageSize, patchSize: 4) with { Depth = 6, NumHeads = 3 },
            Decoder = DecoderConfig.Mae with { EmbedDim = 96, Depth = 1, NumHeads = 3 },
            Epochs = settings.Epochs, BatchSize = 64, LearningRate = 2e-3, WeightDecay = 0.05, WarmupEpochs = Math.Min(2, settings.Epochs / 2.0),
            Precision = settings.Precision ?? Hardware.FastestPrecision(settings.GpuDeviceId is not null),
            Seed = settings.Seed, CancellationToken = cancellation,
        };
    }

    public static void Run(QuickstartSettings settings, CancellationToken cancellation) => new QuickstartRun(settings, cancellation).Run();

    private void Run()
    {
        var clock = Stopwatch.StartNew();

        // 1. Pretrain: the labels are not looked at.
        MaeTransformer pretrained = null!;
        ConsoleProgress.Show("Pretraining", progress =>
            pretrained = _ml.Transforms.MaePretrain("Embedding", "ImagePath", _options with { Progress = progress }).Fit(_images.Train));
        MaePretrainResult pretraining = pretrained.Pretraining!;
        pretrained.Encoder.Save(At("encoder.safetensors"));

        // 2. Probe: the same linear classifier on embeddings of the pretrained encoder and of one with random weights.
        using ImageEncoder random = ImageEncoder.Create(_options.Encoder, _settings.Seed);
        random.Model.Precision = _options.Precision;
        double probe = ProbeAccuracy(pretrained.Encoder), probeRandom = ProbeAccuracy(random);

        // 3. Fine-tune end to end, and train the same classifier from random weights.
        var fineTune = new FineTuneOptions
        {
            Epochs = _settings.FineTuneEpochs, BatchSize = 64, LearningRate = 1e-3, WarmupEpochs = _settings.FineTuneEpochs / 4.0, LabelSmoothing = 0.1,
            Augmentation = Augmentation.HorizontalFlip(), Precision = _options.Precision, Seed = _settings.Seed, CancellationToken = _cancellation,
        };
        using var classifier = Train("Fine-tuning", fineTune with { Encoder = pretrained.Encoder, LayerDecay = 0.75 });
        using var scratch = Train("From scratch", fineTune with { Architecture = _options.Encoder });
        MulticlassClassificationMetrics fineTuned = Evaluate(classifier), fromScratch = Evaluate(scratch);

        // 4. Export, and save for applications that have never heard of Smae.
        double onnx = Export(pretrained.Encoder, classifier.Model), saved = SaveAndScoreElsewhere(classifier);
        SaveForImagesInMemory();

        // 5. Keep what was found.
        var metrics = new Metrics
        {
            Dataset = _settings.Data is null ? "drawn shapes" : _settings.Data.Name,
            TrainImages = ImageSets.Count(_images.Train), ValidationImages = ImageSets.Count(_images.Validation),
            Epochs = _settings.Epochs, FineTuneEpochs = _settings.FineTuneEpochs, ImagesPerSecond = pretraining.ImagesPerSecond,
            FirstLoss = pretraining.FirstLoss, LastLoss = pretraining.LastLoss, ProbeAccuracyPretrained = probe, ProbeAccuracyRandom = probeRandom,
            FineTuneAccuracy = fineTuned.MicroAccuracy, ScratchAccuracy = fromScratch.MicroAccuracy, OnnxMaxAbsDifference = onnx,
            SavedModelMaxAbsDifference = saved, Seconds = clock.Elapsed.TotalSeconds,
        };
        metrics.Write(At("metrics.json"));
        WriteReport(pretraining, classifier, fineTuned, metrics);
        Console.WriteLine($"{metrics.TrainImages} images, {metrics.Epochs} epochs, {metrics.ImagesPerSecond:F0} images/s, loss {metrics.FirstLoss:F4} -> {metrics.LastLoss:F4}");
        Console.WriteLine($"on {metrics.ValidationImages} validation images: linear probe {probe:P1} pretrained, {probeRandom:P1} with random weights; "
            + $"fine-tuned {metrics.FineTuneAccuracy:P1}, from scratch {metrics.ScratchAccuracy:P1}");
        Console.WriteLine($"largest difference from TorchSharp: {onnx:G2} in the ONNX files, {saved:G2} in an application without Smae");
        Console.WriteLine($"{_settings.Output.FullName}: report.html, metrics.json, reconstructions.png, encoder.safetensors, encoder.onnx, classifier.onnx, classifier.zip, app/ "
            + $"({clock.Elapsed:mm\\:ss})");
    }

    private double ProbeAccuracy(ImageEncoder encoder)
    {
        var probe = _ml.Transforms.Conversion.MapValueToKey("Label")
            .Append(_ml.Transforms.MaeEmbedding("Embedding", "ImagePath", encoder))
            .AppendCacheCheckpoint(_ml)   // what follows goes over its data many times: embed once
            .Append(_ml.Transforms.NormalizeMeanVariance("Embedding", fixZero: false))
            .Append(_ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Label", "Embedding"));
        return _ml.MulticlassClassification.Evaluate(probe.Fit(_images.Train).Transform(_images.Validation)).MicroAccuracy;
    }

    private ImageClassificationTransformer<ImageClassifier> Train(string title, FineTuneOptions options)
    {
        IDataView keyed = Keys.Transform(_images.Train);
        ImageClassificationTransformer<ImageClassifier> classifier = null!;
        ConsoleProgress.Show(title, progress => classifier = _ml.MulticlassClassification.Trainers
            .VisionTransformer("Label", "ImagePath", options with { Progress = progress }, validationData: Keys.Transform(_images.Validation)).Fit(keyed));
        return classifier;
    }

    private MulticlassClassificationMetrics Evaluate(ITransformer classifier) =>
        _ml.MulticlassClassification.Evaluate(classifier.Transform(Keys.Transform(_images.Validation)));

    private ITransformer Keys => field ??= _ml.Transforms.Conversion.MapValueToKey("Label").Fit(_images.Train);

    private double Export(ImageEncoder encoder, ImageClassifier classifier)
    {
        using ImageStore real = Store(_images.Validation, ImagesCompared);
        var options = new OnnxExportOptions { ProofImages = real };
        return Math.Max(
            encoder.ExportOnnx(At("encoder.onnx"), options).Proof.MaxDifference, classifier.ExportOnnx(At("classifier.onnx"), options).Proof.MaxDifference);
    }

    private double SaveAndScoreElsewhere(ImageClassificationTransformer<ImageClassifier> classifier)
    {
        classifier.Model.Model.Backbone.Precision = Precision.Float32;   // as what is saved: in bfloat16 it would be this process that rounds
        // Scoring needs no labels: only the classifier is saved, and the names of its classes.
        ITransformer names = _ml.Transforms.Conversion.MapKeyToValue("PredictedLabel").Fit(classifier.Transform(Keys.Transform(_images.Train)));
        var model = new TransformerChain<ITransformer>(classifier, names);
        IDataView some = _ml.Data.TakeRows(_images.Validation, ImagesCompared);
        _ml.Model.SaveAtomically(model, _ml.Transforms.SelectColumns("ImagePath").Fit(some).Transform(some).Schema, At("classifier.zip"));

        ScoredImage[] here = [.. _ml.Data.CreateEnumerable<ScoredImage>(model.Transform(some), reuseRowObject: false)];
        IReadOnlyList<ScoredImage> there = OtherApplication.Score(At("classifier.zip"), [.. here.Select(image => image.ImagePath)]);
        return here.Zip(there).Max(pair => pair.First.Score.Zip(pair.Second.Score).Max(score => Math.Abs(score.First - score.Second)));
    }

    /// <summary>The same models for an application that has images in memory, not in files: <c>examples/ExistingApp</c> takes these.</summary>
    private void SaveForImagesInMemory()
    {
        IDataView images = _ml.Data.LoadFromEnumerable<ImageInMemory>([]);
        Directory.CreateDirectory(At("app"));
        using var classifier = _ml.Transforms.OnnxClassification("Image", At("classifier.onnx")).Fit(images);
        using var encoder = _ml.Transforms.OnnxEmbedding("Embedding", "Image", At("encoder.onnx")).Fit(images);
        _ml.Model.SaveAtomically(classifier, images.Schema, At("app/classifier.zip"));
        _ml.Model.SaveAtomically(encoder, images.Schema, At("app/encoder.zip"));
    }

    private void WriteReport(
        MaePretrainResult pretraining, ImageClassificationTransformer<ImageClassifier> classifier, MulticlassClassificationMetrics metrics, Metrics figures)
    {
        using ImageStore few = Store(_ml.Data.ShuffleRows(_images.Validation), ImagesInPicture), many = Store(_images.Validation, 1000);
        long[] all = [.. Enumerable.Range(0, (int)few.Count)], asked = [.. Enumerable.Range(0, (int)Math.Min(ImagesInPicture, many.Count)).Select(i => i * many.Count / ImagesInPicture)];
        int scale = Math.Max(1, 128 / _options.Encoder.ImageWidth);
        var reconstructions = ReconstructionGrid.Draw(pretraining.Model, few, all, _options, scale);
        PngWriter.Save(At("reconstructions.png"), reconstructions.Width, reconstructions.Height, reconstructions.Rgba);
        string Percent(double share) => share.ToString("P1", CultureInfo.InvariantCulture);
        string Number(double value) => value.ToString("G3", CultureInfo.InvariantCulture);
        new HtmlReport($"Smae on {figures.Dataset}")
            .AddFacts("Results",
                ("Images", $"{figures.TrainImages} for training, {figures.ValidationImages} for validation"),
                ("Linear probe", $"{Percent(figures.ProbeAccuracyPretrained)} pretrained, {Percent(figures.ProbeAccuracyRandom)} with random weights"),
                ("Classifier", $"{Percent(figures.FineTuneAccuracy)} fine-tuned, {Percent(figures.ScratchAccuracy)} from scratch"),
                ("Speed", $"{figures.ImagesPerSecond:F0} images/s pretraining, {classifier.Training.ImagesPerSecond:F0} images/s fine-tuning"),
                ("Peak memory", $"{Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MiB"),
                ("Time", $"{figures.Seconds:F0} s in all"),
                ("ONNX Runtime against TorchSharp", $"largest difference {Number(figures.OnnxMaxAbsDifference)}"),
                ("Saved model without Smae", $"largest difference {Number(figures.SavedModelMaxAbsDifference)}"))
            .AddHistory("Pretraining", pretraining.History)
            .AddFusionWeights("Fused blocks", pretraining.Model.Encoder)
            .AddPicture("Reconstructions", reconstructions, "original, what the encoder sees, reconstruction")
            .AddPicture("Nearest neighbours", NeighborGrid.Draw(pretraining.Encoder, many, asked, neighbors: 6, scale: Math.Max(1, scale / 2)),
                "an image of the validation set, then those whose embeddings are most like its own")
            .AddHistory("Fine-tuning", classifier.Training.History)
            .AddConfusionMatrix("Confusion matrix", metrics.ConfusionMatrix.Counts, classifier.Model.ClassNames)
            .AddSettings("Settings", _options)
            .Save(At("report.html"));
    }

    private ImageStore Store(IDataView view, int count) => _ml.Data.LoadImageStore(_ml.Data.TakeRows(view, count), "ImagePath", _options.Preprocessing);

    private string At(string name) => Path.Combine(_settings.Output.FullName, name);
}
