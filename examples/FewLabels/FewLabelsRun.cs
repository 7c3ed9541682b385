using Microsoft.ML;
using Smae.MLNet;
using Smae.Training;

namespace FewLabels;

/// <summary>Pretrains without labels, then fine-tunes with few of them: from what was pretrained and from random weights.</summary>
internal static class FewLabelsRun
{
    private const int BatchSize = 64;

    public static void Run(FewLabelsSettings settings, CancellationToken cancellation)
    {
        settings.Output.Create();
        string Out(string file) => Path.Combine(settings.Output.FullName, file);
        var ml = new MLContext(settings.Seed) { GpuDeviceId = settings.GpuDeviceId, FallbackToCpu = false };
        ml.Log += (_, e) => { if (e.Kind >= Microsoft.ML.Runtime.ChannelMessageKind.Warning) Console.Error.WriteLine(e.Message); };
        LabelledSet images = LabelledSet.Load(ml, settings.Data, settings.Seed);

        string weights = settings.Encoder?.FullName ?? Pretrain(ml, images.Training, settings, Out("encoder.safetensors"), cancellation);
        List<Comparison> comparisons = [];
        foreach (double percent in settings.Percentages)
        {
            LabelledImage[] labelled = images.Take(percent);
            Console.WriteLine($"{percent}% of the labels: {labelled.Length} images of {images.ClassCount} classes");
            double Accuracy(FineTuneOptions start)
            {
                FineTuneOptions options = Options(start, labelled.Length, settings, cancellation);
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
    }

    private static string Pretrain(MLContext ml, IDataView images, FewLabelsSettings settings, string path, CancellationToken cancellation)
    {
        Console.WriteLine("Pretraining without labels");
        using MaeTransformer embedder = ml.Transforms.MaePretrain("Embedding", "ImagePath", new MaePretrainOptions
        {
            Encoder = VisionTransformerConfig.VitTiny16.ForImages(settings.ImageSize, patchSize: 4) with { Depth = 6, NumHeads = 3 },
            Decoder = DecoderConfig.Mae with { EmbedDim = 96, Depth = 1, NumHeads = 3 },
            Augmentation = Augmentation.RandomCrop().Then(Augmentation.HorizontalFlip()),
            Epochs = settings.Epochs, BatchSize = BatchSize, LearningRate = 2e-3, WeightDecay = 0.05,
            Precision = Hardware.FastestPrecision(settings.GpuDeviceId is not null),
            Seed = settings.Seed, Progress = new ConsoleProgress(), CancellationToken = cancellation,
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
