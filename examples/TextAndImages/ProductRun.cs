using Examples;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.TorchSharp;
using Smae.MLNet;
using Smae.Training;

namespace TextAndImages;

/// <summary>What the command line asked for.</summary>
internal sealed record ProductSettings(FileInfo Products, FileInfo? Encoder, bool PretrainedText, int TextEpochs, int ImageEpochs, int Seed, int? GpuDeviceId);

/// <summary>A text classifier of ML.NET beside Smae's image classifier, in one MLContext; then both together.</summary>
internal static class ProductRun
{
    public static void Run(ProductSettings settings, CancellationToken cancellation)
    {
        DataParallel? ranks = Processes.Join();   // under mpirun all processes train on the pictures, and the first one does the rest
        var ml = new MLContext(settings.Seed) { GpuDeviceId = settings.GpuDeviceId, FallbackToCpu = false };
        ml.Log += (_, e) => { if (ranks.IsFirst() && e.Kind >= Microsoft.ML.Runtime.ChannelMessageKind.Warning) Console.Error.WriteLine(e.Message); };
        var split = ml.Data.TrainTestSplit(Product.Load(ml, settings.Products), testFraction: 0.2, seed: settings.Seed);
        // The same keys for both classifiers, so that their scores are of the same classes in the same order.
        var keys = ml.Transforms.Conversion.MapValueToKey("Label").Fit(split.TrainSet);
        IDataView training = keys.Transform(split.TrainSet), test = keys.Transform(split.TestSet);

        using MaeTransformer? pretrained = settings.Encoder is null ? Pretrain(ml, training, settings, ranks, cancellation) : null;
        var images = ml.MulticlassClassification.Trainers.VisionTransformer("Label", "ImagePath", new FineTuneOptions
        {
            Encoder = pretrained?.Encoder, EncoderWeights = settings.Encoder?.FullName,
            Epochs = settings.ImageEpochs, BatchSize = 64, LayerDecay = 0.75,
            Augmentation = Augmentation.RandomCrop().Then(Augmentation.HorizontalFlip()),
            Precision = Hardware.FastestPrecision(settings.GpuDeviceId is not null), CancellationToken = cancellation, Distributed = ranks,
        }).Fit(training);
        if (!ranks.IsFirst()) return;
        ITransformer text = settings.PretrainedText
            ? PretrainedText(ml, training, settings)
            : ml.Transforms.Text.FeaturizeText("Words", "Title")
                .Append(ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Label", "Words")).Fit(training);

        float[][] byPicture = [.. images.Transform(test).GetColumn<float[]>("Score")];
        float[][] byTitle = [.. text.Transform(test).GetColumn<float[]>("Score")];
        if (settings.PretrainedText) byTitle = [.. byTitle.Select(Softmax)];   // that trainer's scores are logits
        uint[] labels = [.. test.GetColumn<uint>("Label")];
        float[][] together = [.. byTitle.Zip(byPicture, (title, picture) => title.Zip(picture, (a, b) => a + b).ToArray())];
        Console.WriteLine($"{labels.Length} products to test on");
        Console.WriteLine($"by title    {Accuracy(byTitle, labels):P1}");
        Console.WriteLine($"by picture  {Accuracy(byPicture, labels):P1}");
        Console.WriteLine($"by both     {Accuracy(together, labels):P1}");
    }

    private static MaeTransformer Pretrain(MLContext ml, IDataView images, ProductSettings settings, DataParallel? ranks, CancellationToken cancellation) =>
        ml.Transforms.MaePretrain("Embedding", "ImagePath", new MaePretrainOptions
        {
            Encoder = VisionTransformerConfig.VitTiny16.ForImages(64, patchSize: 8),
            Decoder = DecoderConfig.Mae with { EmbedDim = 128, Depth = 2, NumHeads = 4 },
            Epochs = 2 * settings.ImageEpochs, LearningRate = 1e-3, WeightDecay = 0.05,
            Precision = Hardware.FastestPrecision(settings.GpuDeviceId is not null), CancellationToken = cancellation, Distributed = ranks,
        }).Fit(images);

    /// <summary>The text classifier of Microsoft.ML.TorchSharp: a transformer that was pretrained on English text, on the same libtorch and device.</summary>
    private static ITransformer PretrainedText(MLContext ml, IDataView training, ProductSettings settings)
    {
        try
        {
            return ml.MulticlassClassification.Trainers.TextClassification(
                labelColumnName: "Label", sentence1ColumnName: "Title", maxEpochs: settings.TextEpochs).Fit(training);
        }
        catch (InvalidOperationException exception) when (exception.Message.Contains("Tensor invalid"))
        {
            throw new InvalidOperationException(
                "This version of Microsoft.ML.TorchSharp does not work with the TorchSharp that Smae needs: see the README. Leave out --pretrained-text.",
                exception);
        }
    }

    private static float[] Softmax(float[] logits)
    {
        float[] powers = [.. logits.Select(x => MathF.Exp(x - logits.Max()))];
        return [.. powers.Select(p => p / powers.Sum())];
    }

    /// <summary>Keys count from 1, scores from 0; a category that is in no training row has the key 0 and is never right.</summary>
    private static double Accuracy(float[][] scores, uint[] labels) =>
        scores.Zip(labels, (score, label) => Array.IndexOf(score, score.Max()) + 1 == label ? 1.0 : 0.0).Average();
}

/// <summary>A row of the table.</summary>
internal sealed class Product
{
    [LoadColumn(0)]
    public string Title { get; set; } = "";

    [LoadColumn(1)]
    public string ImagePath { get; set; } = "";

    [LoadColumn(2)]
    public string Label { get; set; } = "";

    /// <summary>Reads a table; paths of pictures are seen from its folder.</summary>
    /// <exception cref="InvalidDataException">A row lacks something, or a picture is not there; the message says which.</exception>
    public static IDataView Load(MLContext ml, FileInfo table)
    {
        if (!table.Exists) throw new FileNotFoundException($"There is no table {table}.");
        IDataView text = ml.Data.LoadFromTextFile<Product>(table.FullName, hasHeader: true);
        Product[] products = [.. ml.Data.CreateEnumerable<Product>(text, reuseRowObject: false)];
        if (products.Length == 0) throw new InvalidDataException($"{table} has no rows: expected a first line of names, and a line for each product.");
        for (int i = 0; i < products.Length; i++)
        {
            Product product = products[i];
            if (product.Title == "" || product.ImagePath == "" || product.Label == "")
                throw new InvalidDataException($"{table}: row {i + 1} has not all of title, picture and category.");
            product.ImagePath = Path.GetFullPath(product.ImagePath, table.DirectoryName!);
            if (!File.Exists(product.ImagePath)) throw new InvalidDataException($"{table}: row {i + 1}: there is no picture {product.ImagePath}.");
        }
        return ml.Data.Cache(ml.Data.LoadFromEnumerable(products));
    }
}
