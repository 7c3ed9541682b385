using System.Diagnostics;
using System.Text.Json;
using Examples;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using ScoreSavedModel;
using Smae.Export;
using Smae.MLNet;
using Smae.Training;

namespace Quickstart;

/// <summary>What the command line asked for.</summary>
/// <param name="LabelsPerClass">Images of each class whose label is used; 0 for all.</param>
internal sealed record QuickstartSettings(
    DirectoryInfo? Data, DirectoryInfo Output, int Epochs, int FineTuneEpochs, int LabelsPerClass, int ImageSize, int Seed, int? GpuDeviceId, Precision? Precision);

/// <summary>The main job from end to end: pretrain, probe, fine-tune, evaluate, export, save, and score in an application without Smae.</summary>
internal sealed class QuickstartRun
{
    private const int HeldOut = 256, ImagesInPicture = 8, ImagesCompared = 200, PictogramsPerClass = 400;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly QuickstartSettings _settings;
    private readonly CancellationToken _cancellation;
    private readonly DataParallel? _ranks = Processes.Join();    // under mpirun all processes do the same up to the end of training
    private readonly MLContext _ml;
    private readonly IDataView _train, _labelled, _validation;   // columns ImagePath and Label
    private readonly ITransformer _keys;                         // labels as ML.NET's trainers take them
    private readonly MaePretrainOptions _options;

    public QuickstartRun(QuickstartSettings settings, CancellationToken cancellation)
    {
        (_settings, _cancellation) = (settings, cancellation);
        if (_ranks.IsFirst()) settings.Output.Create();
        _ml = new MLContext(settings.Seed) { GpuDeviceId = settings.GpuDeviceId, FallbackToCpu = false };
        _ml.Log += (_, e) => { if (_ranks.IsFirst() && e.Kind >= Microsoft.ML.Runtime.ChannelMessageKind.Warning) Console.Error.WriteLine(e.Message); };
        string folder = settings.Data?.FullName
            ?? _ranks.OnFirst(() => Pictograms.Write(At("images"), PictogramsPerClass, settings.ImageSize, settings.Seed));
        (_train, _validation) = Load(folder);
        _labelled = SomeOfEachClass(_train, settings.LabelsPerClass);
        _keys = _ml.Transforms.Conversion.MapValueToKey("Label").Fit(_labelled);
        VisionTransformerConfig encoder = VisionTransformerConfig.VitTiny16.ForImages(settings.ImageSize, patchSize: 4) with { Depth = 6, NumHeads = 3 };
        if (settings.Data is null) encoder = encoder with { EmbedDim = 128, Depth = 4, NumHeads = 2 };   // enough for pictograms, and twice as fast
        _options = new MaePretrainOptions
        {
            Encoder = encoder,
            Decoder = DecoderConfig.Mae with { EmbedDim = 96, Depth = 1, NumHeads = 3 },
            Epochs = settings.Epochs, BatchSize = 64, LearningRate = 2e-3, WeightDecay = 0.05, WarmupEpochs = Math.Min(2, settings.Epochs / 2.0),
            Precision = settings.Precision ?? Hardware.FastestPrecision(settings.GpuDeviceId is not null),
            HeldOutImages = Count(_train) < 20 ? 0 : (int)Math.Min(HeldOut, Count(_train) / 10),
            Seed = settings.Seed, CancellationToken = cancellation, Distributed = _ranks,
        };
    }

    public void Run()
    {
        if (_settings.Data is null)
            Console.WriteLine($"Pictograms on coloured paper, drawn in {At("images")}: what do they show? Colours, blots, place, size and angle do not tell.");
        Console.WriteLine($"{Count(_train)} images to pretrain on without labels, {Count(_labelled)} of them with a label to learn from, "
            + $"{Count(_validation)} to measure on.");

        // 1. Pretrain: the labels are not looked at.
        MaeTransformer pretrained = null!;
        ConsoleProgress.Show("Pretraining", progress =>
            pretrained = _ml.Transforms.MaePretrain("Embedding", "ImagePath", _options with { Progress = progress }).Fit(_train));
        if (_ranks.IsFirst()) pretrained.Encoder.Save(At("encoder.safetensors"));

        // 2. Probe: the same linear classifier on embeddings of the pretrained encoder and of one with random weights.
        using ImageEncoder random = ImageEncoder.Create(_options.Encoder, _settings.Seed);
        random.Model.Precision = _options.Precision;
        double probe = ProbeAccuracy(pretrained.Encoder), probeRandom = ProbeAccuracy(random);

        // 3. Fine-tune end to end, and train the same classifier from random weights: same images, as many steps. No epoch is picked by the validation images.
        var fineTune = new FineTuneOptions
        {
            Epochs = _settings.FineTuneEpochs, BatchSize = _settings.Data is null ? 32 : 64, LearningRate = 1e-3, WarmupEpochs = _settings.FineTuneEpochs / 4.0,
            LabelSmoothing = 0.1,
            Augmentation = Augmentation.HorizontalFlip(), KeepBest = false, ValidateEvery = Math.Max(1, _settings.FineTuneEpochs / 4),
            Precision = _options.Precision, Seed = _settings.Seed, CancellationToken = _cancellation, Distributed = _ranks,
        };
        using var classifier = Train("Fine-tuning", fineTune with { Encoder = pretrained.Encoder, LayerDecay = 0.75 });
        using var scratch = Train("From scratch", fineTune with { Architecture = _options.Encoder });
        if (!_ranks.IsFirst()) return;
        MulticlassClassificationMetrics fineTuned = Evaluate(classifier), fromScratch = Evaluate(scratch);

        // 4. Export, and save for applications that have never heard of Smae.
        double onnx = Export(pretrained.Encoder, classifier.Model), saved = SaveAndScoreElsewhere(classifier);
        SaveForImagesInMemory();

        // 5. Keep what was found.
        MaePretrainResult pretraining = pretrained.Pretraining!;
        var results = new Results
        {
            Dataset = _settings.Data?.Name ?? "drawn pictograms", Classes = fineTuned.ConfusionMatrix.NumberOfClasses,
            TrainImages = Count(_train), LabelledImages = Count(_labelled), ValidationImages = Count(_validation),
            Epochs = _settings.Epochs, FineTuneEpochs = _settings.FineTuneEpochs, Seed = _settings.Seed, ImagesPerSecond = pretraining.ImagesPerSecond,
            FirstLoss = pretraining.FirstLoss, LastLoss = pretraining.LastLoss, ProbeAccuracyPretrained = probe, ProbeAccuracyRandom = probeRandom,
            FineTuneAccuracy = fineTuned.MicroAccuracy, ScratchAccuracy = fromScratch.MicroAccuracy, OnnxMaxAbsDifference = onnx,
            SavedModelMaxAbsDifference = saved, Seconds = _clock.Elapsed.TotalSeconds,
        };
        results.Write(At("metrics.json"));
        WriteReport(pretraining, classifier, fineTuned, results);
        Console.WriteLine(results);
        Console.WriteLine($"{_settings.Output.FullName}: report.html, metrics.json, reconstructions.png, encoder.safetensors, encoder.onnx, "
            + $"classifier.onnx, classifier.zip, app/ ({_clock.Elapsed:mm\\:ss})");
    }

    /// <summary>A folder that has both sets, or a split of one that has not.</summary>
    /// <exception cref="ArgumentException">There are images of one class only.</exception>
    private (IDataView Train, IDataView Validation) Load(string folder)
    {
        IDataView train, validation;
        try
        {
            IDataView Split(ImageFolderSplit split) => _ml.Data.LoadImageFolder(folder, split, readableNames: true);
            (train, validation) = (Split(ImageFolderSplit.Train), Split(ImageFolderSplit.Validation));
        }
        catch (ArgumentException e) when (e.ParamName == "split")   // class folders without train and val: keep a random fifth for validation
        {
            var split = _ml.Data.TrainTestSplit(_ml.Data.LoadImageFolder(folder, readableNames: true), testFraction: 0.2);
            (train, validation) = (split.TrainSet, split.TestSet);
        }
        return train.GetColumn<string>("Label").Distinct().Take(2).Count() == 2 ? (train, validation) : throw new ArgumentException(
            $"'{folder}' has images of one class only: classification needs labels, so put the images of each class into a folder of their own.");
    }

    /// <summary>So many images of each class, drawn at random; all of them if that is 0.</summary>
    private IDataView SomeOfEachClass(IDataView images, int count)
    {
        if (count == 0) return images;
        LabelledImage[] all = [.. _ml.Data.CreateEnumerable<LabelledImage>(images, reuseRowObject: false)];
        new Random(_settings.Seed).Shuffle(all);
        return _ml.Data.LoadFromEnumerable(all.GroupBy(image => image.Label).OrderBy(images => images.Key, StringComparer.Ordinal)
            .SelectMany(images => images.Take(count)).ToArray());
    }

    private static long Count(IDataView view) => view.GetRowCount() ?? view.GetColumn<string>("ImagePath").LongCount();

    private double ProbeAccuracy(ImageEncoder encoder)
    {
        var probe = _ml.Transforms.Conversion.MapValueToKey("Label")
            .Append(_ml.Transforms.MaeEmbedding("Embedding", "ImagePath", encoder))
            .AppendCacheCheckpoint(_ml)   // what follows goes over its data many times: embed once
            .Append(_ml.Transforms.NormalizeMeanVariance("Embedding", fixZero: false))
            .Append(_ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Label", "Embedding"));
        return _ml.MulticlassClassification.Evaluate(probe.Fit(_labelled).Transform(_validation)).MicroAccuracy;
    }

    private ImageClassificationTransformer<ImageClassifier> Train(string title, FineTuneOptions options)
    {
        ImageClassificationTransformer<ImageClassifier> classifier = null!;
        ConsoleProgress.Show(title, progress => classifier = _ml.MulticlassClassification.Trainers
            .VisionTransformer("Label", "ImagePath", options with { Progress = progress }, validationData: _keys.Transform(_validation)).Fit(_keys.Transform(_labelled)));
        return classifier;
    }

    private MulticlassClassificationMetrics Evaluate(ITransformer classifier) =>
        _ml.MulticlassClassification.Evaluate(classifier.Transform(_keys.Transform(_validation)));

    private double Export(ImageEncoder encoder, ImageClassifier classifier)
    {
        using ImageStore real = Store(_validation, ImagesCompared);
        var options = new OnnxExportOptions { ProofImages = real };
        return Math.Max(
            encoder.ExportOnnx(At("encoder.onnx"), options).Proof.MaxDifference, classifier.ExportOnnx(At("classifier.onnx"), options).Proof.MaxDifference);
    }

    private double SaveAndScoreElsewhere(ImageClassificationTransformer<ImageClassifier> classifier)
    {
        classifier.Model.Model.Backbone.Precision = Precision.Float32;   // as what is saved: in bfloat16 it would be this process that rounds
        // Scoring needs no labels: only the classifier is saved, and the names of its classes.
        ITransformer names = _ml.Transforms.Conversion.MapKeyToValue("PredictedLabel").Fit(classifier.Transform(_keys.Transform(_labelled)));
        var model = new TransformerChain<ITransformer>(classifier, names);
        IDataView some = _ml.Data.TakeRows(_validation, ImagesCompared);
        _ml.Model.SaveAtomically(model, _ml.Transforms.SelectColumns("ImagePath").Fit(some).Transform(some).Schema, At("classifier.zip"));

        ScoredImage[] here = [.. _ml.Data.CreateEnumerable<ScoredImage>(model.Transform(some), reuseRowObject: false)];
        ScoredImage[] there = ScoreElsewhere(At("classifier.zip"), here.Select(image => image.ImagePath));
        return here.Zip(there).Max(pair => pair.First.Score.Zip(pair.Second.Score).Max(score => Math.Abs(score.First - score.Second)));
    }

    /// <summary>Scores images in <c>examples/ScoreSavedModel</c>, which references ML.NET and ONNX Runtime but not Smae, in a process of its own.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message is its own.</exception>
    private static ScoredImage[] ScoreElsewhere(string model, IEnumerable<string> paths)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "ScoreSavedModel", "ScoreSavedModel.dll");
        using Process process = Process.Start(
            new ProcessStartInfo("dotnet", [program, model]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        foreach (string path in paths) process.StandardInput.WriteLine(path);
        process.StandardInput.Close();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"ScoreSavedModel failed with {process.ExitCode}: {errors.Result}");
        return JsonSerializer.Deserialize<ScoredImage[]>(output.Result)!;
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
        MaePretrainResult pretraining, ImageClassificationTransformer<ImageClassifier> classifier, MulticlassClassificationMetrics metrics, Results results)
    {
        using ImageStore few = Store(_ml.Data.ShuffleRows(_validation), ImagesInPicture), many = Store(_validation, 1000);
        long[] all = [.. Enumerable.Range(0, (int)few.Count)],
            asked = [.. Enumerable.Range(0, (int)Math.Min(ImagesInPicture, many.Count)).Select(i => i * many.Count / ImagesInPicture)];
        int scale = Math.Max(1, 128 / _options.Encoder.ImageWidth);
        var reconstructions = ReconstructionGrid.Draw(pretraining.Model, few, all, _options, scale);
        PngWriter.Save(At("reconstructions.png"), reconstructions.Width, reconstructions.Height, reconstructions.Rgba);
        results.StartReport(classifier.Training.ImagesPerSecond, pretraining.History[^1].HeldOut)
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

    private sealed class LabelledImage
    {
        public string ImagePath { get; set; } = "";

        public string Label { get; set; } = "";
    }

    /// <summary>An image of any size.</summary>
    private sealed class ImageInMemory
    {
        [ImageType(1, 1)]   // ML.NET wants a size here; the models resize whatever image it is
        public MLImage? Image { get; set; }
    }
}
