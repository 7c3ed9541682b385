using Examples;
using Microsoft.ML;
using Smae.MLNet;
using Smae.Training;

namespace FewLabels;

/// <summary>What the command line asked for.</summary>
internal sealed record FewLabelsSettings(
    DirectoryInfo Data, FileInfo? Encoder, DirectoryInfo Output, IReadOnlyList<double> Percentages, int Epochs, int Steps, int ImageSize, int Seed,
    int? GpuDeviceId);

/// <summary>Pretrains without labels, then fine-tunes with few of them: from what was pretrained and from random weights.</summary>
internal static class FewLabelsRun
{
    private const int BatchSize = 64;

    public static void Run(FewLabelsSettings settings, CancellationToken cancellation)
    {
        DataParallel? ranks = Processes.Join();   // under mpirun all processes do the same, and only what the first one writes is kept
        if (!ranks.IsFirst()) settings = settings with { Output = Directory.CreateTempSubdirectory("few-labels-") };
        settings.Output.Create();
        string Out(string file) => Path.Combine(settings.Output.FullName, file);
        var ml = new MLContext(settings.Seed) { GpuDeviceId = settings.GpuDeviceId, FallbackToCpu = false };
        ml.Log += (_, e) => { if (ranks.IsFirst() && e.Kind >= Microsoft.ML.Runtime.ChannelMessageKind.Warning) Console.Error.WriteLine(e.Message); };
        LabelledSet images = LabelledSet.Load(ml, settings.Data, settings.Seed);

        string weights = settings.Encoder?.FullName ?? Pretrain(ml, images.Training, settings, Out("encoder.safetensors"), ranks, cancellation);
        List<Comparison> comparisons = [];
        foreach (double percent in settings.Percentages)
        {
            LabelledImage[] labelled = images.Take(percent);
            Console.WriteLine($"{percent}% of the labels: {labelled.Length} images of {images.ClassCount} classes");
            double Accuracy(FineTuneOptions start)
            {
                FineTuneOptions options = Options(start, labelled.Length, settings, cancellation) with { Distributed = ranks };
                using var model = ml.Transforms.Conversion.MapValueToKey("Label")
                    .Append(ml.MulticlassClassification.Trainers.VisionTransformer("Label", "ImagePath", options))
                    .Fit(images.View(labelled));
                return ml.MulticlassClassification.Evaluate(model.Transform(images.Test)).MicroAccuracy;
            }
            // Layers that know something already move less, as in MAE.
            double pretrained = Accuracy(new FineTuneOptions { EncoderWeights = weights, LayerDecay = 0.75 });
            double scratch = Accuracy(FromScratch(weights));
            comparisons.Add(new Comparison(percent, labelled.Length, pretrained, scratch));
            Console.WriteLine($"  {pretrained:P1} pretrained, {scratch:P1} from scratch");
            var report = new ComparisonReport(settings.Data.Name, comparisons);   // written again each time: what is measured is kept
            report.Save(Out("table.md"), Out("plot.svg"), Out("report.html"));
        }
        Console.WriteLine($"\n{new ComparisonReport(settings.Data.Name, comparisons).Table}");
        Console.WriteLine($"{settings.Output.FullName}: table.md, plot.svg, report.html");
        if (!ranks.IsFirst()) settings.Output.Delete(recursive: true);
    }

    private static string Pretrain(
        MLContext ml, IDataView images, FewLabelsSettings settings, string path, DataParallel? ranks, CancellationToken cancellation)
    {
        Console.WriteLine("Pretraining without labels");
        using MaeTransformer embedder = ml.Transforms.MaePretrain("Embedding", "ImagePath", new MaePretrainOptions
        {
            Encoder = VisionTransformerConfig.VitTiny16.ForImages(settings.ImageSize, patchSize: 4) with { Depth = 6, NumHeads = 3 },
            Decoder = DecoderConfig.Mae with { EmbedDim = 96, Depth = 1, NumHeads = 3 },
            Augmentation = Augmentation.RandomCrop().Then(Augmentation.HorizontalFlip()),
            Epochs = settings.Epochs, BatchSize = BatchSize, LearningRate = 2e-3, WeightDecay = 0.05,
            Precision = Hardware.FastestPrecision(settings.GpuDeviceId is not null),
            Seed = settings.Seed, Progress = new ConsoleProgress(), CancellationToken = cancellation, Distributed = ranks,
        }).Fit(images);
        embedder.Encoder.Save(path);
        return path;
    }

    /// <summary>The shape and preprocessing of the pretrained encoder, and none of its weights.</summary>
    private static FineTuneOptions FromScratch(string weights)
    {
        using ImageEncoder encoder = ImageEncoder.Load(weights);
        return new FineTuneOptions { Architecture = encoder.Model.Config, Preprocessing = encoder.Preprocessing };
    }

    /// <summary>As many steps whatever the number of labels, and no look at the images that are measured on before the end.</summary>
    private static FineTuneOptions Options(FineTuneOptions start, int images, FewLabelsSettings settings, CancellationToken cancellation)
    {
        int epochs = Math.Max(1, (int)Math.Round(settings.Steps / Math.Ceiling(images / (double)BatchSize)));
        return start with
        {
            Epochs = epochs, BatchSize = BatchSize, LearningRate = 1e-3, WeightDecay = 0.05, DropPath = 0.1, LabelSmoothing = 0.1,
            Augmentation = Augmentation.RandomCrop().Then(Augmentation.HorizontalFlip()),
            Precision = Hardware.FastestPrecision(settings.GpuDeviceId is not null), Seed = settings.Seed, CancellationToken = cancellation,
        };
    }
}

/// <summary>Images to train on and images to measure on.</summary>
internal sealed class LabelledSet
{
    private readonly MLContext _ml;
    private readonly LabelledImage[][] _classes;

    private LabelledSet(MLContext ml, IDataView training, IDataView test, int seed)
    {
        (_ml, Training, Test) = (ml, training, test);
        // Shuffled once: the images of a smaller share are among those of a larger one.
        var random = new Random(seed);
        _classes =
        [
            .. ml.Data.CreateEnumerable<LabelledImage>(training, reuseRowObject: false)
                .GroupBy(i => i.Label).OrderBy(g => g.Key, StringComparer.Ordinal)
                .Select(images =>
                {
                    LabelledImage[] shuffled = [.. images];
                    random.Shuffle(shuffled);
                    return shuffled;
                }),
        ];
    }

    /// <summary>All images to train on. Pretraining does not look at their labels.</summary>
    public IDataView Training { get; }

    public IDataView Test { get; }

    public int ClassCount => _classes.Length;

    /// <summary>Reads a folder; one without a split keeps a random fifth to measure on.</summary>
    /// <exception cref="ArgumentException">There are fewer than two classes.</exception>
    public static LabelledSet Load(MLContext ml, DirectoryInfo folder, int seed)
    {
        IDataView training, test;
        try
        {
            training = ml.Data.LoadImageFolder(folder.FullName, ImageFolderSplit.Train, readableNames: true);
            test = LoadTest(ml, folder);
        }
        catch (ArgumentException e) when (e.ParamName == "split")
        {
            var split = ml.Data.TrainTestSplit(ml.Data.LoadImageFolder(folder.FullName, readableNames: true), testFraction: 0.2, seed: seed);
            (training, test) = (split.TrainSet, split.TestSet);
        }
        var set = new LabelledSet(ml, training, test, seed);
        return set.ClassCount > 1
            ? set
            : throw new ArgumentException($"'{folder}' has images of {set.ClassCount} class: expected a folder for each of two or more classes.");
    }

    /// <summary>The same share of every class, at least one image each.</summary>
    public LabelledImage[] Take(double percent) =>
        [.. _classes.SelectMany(images => images.Take(Math.Max(1, (int)Math.Round(images.Length * percent / 100))))];

    public IDataView View(LabelledImage[] images) => _ml.Data.Cache(_ml.Data.LoadFromEnumerable(images));

    private static IDataView LoadTest(MLContext ml, DirectoryInfo folder)
    {
        try
        {
            return ml.Data.LoadImageFolder(folder.FullName, ImageFolderSplit.Validation, readableNames: true);
        }
        catch (ArgumentException e) when (e.ParamName == "split")   // CUB-200-2011 has a test split only
        {
            return ml.Data.LoadImageFolder(folder.FullName, ImageFolderSplit.Test, readableNames: true);
        }
    }
}

/// <summary>A row of <c>LoadImageFolder</c>.</summary>
internal sealed class LabelledImage
{
    public string ImagePath { get; set; } = "";

    public string Label { get; set; } = "";
}
