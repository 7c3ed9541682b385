using System.Diagnostics;
using Microsoft.ML;
using SkiaSharp;
using Smae.MLNet;
using Smae.Training;
using Spectre.Console;

namespace Smae.Benchmarks;

/// <summary>Images on their way into training: decoding JPEG files (the first epoch), and batches out of memory (all later ones).</summary>
internal sealed class FeedingBenchmark : IBenchmark
{
    public string Name => "feeding";

    public string Description => "Decoding JPEG files, and making batches of what was decoded: images a second, and the share of a train step.";

    public void Run(BenchmarkContext context)
    {
        Table table = Text.Table("First epoch: JPEG files to 64x64 pixels in memory", "", "files", "images/s", "range");
        void Measure(string name, string figure, IReadOnlyList<string> files)
        {
            context.Say($"decoding {name}");
            Spread speed = Spread.Of(Enumerable.Range(0, context.RoundsOr(3) + 1).Select(_ => DecodingSpeed(files)).Skip(1).ToArray());
            context.Report.Add(figure, speed.Median);
            table.AddRow(Markup.Escape(name), $"{files.Count}", Text.Number(speed.Median, "0"), $"{Text.Number(speed.Least, "0")} - {Text.Number(speed.Most, "0")}");
        }
        if (context.Images is { } folder)
        {
            string[] files = [.. Directory.EnumerateFiles(folder.FullName, "*.*", SearchOption.AllDirectories)
                .Where(f => Path.GetExtension(f).ToLowerInvariant() is ".jpg" or ".jpeg").Order(StringComparer.Ordinal).Take(context.Quick ? 8 : 5000)];
            if (files.Length == 0) throw new InvalidOperationException($"There is no JPEG file in {folder.FullName}.");
            Measure(folder.Name, "decodeImagesPerSecond", files);
        }
        else
        {
            using (var small = new DrawnImages(context.Quick ? 8 : 4000, 64, 64)) Measure("64x64", "decodeImagesPerSecond", small.Files);
            using var photos = new DrawnImages(context.Quick ? 4 : 200, 500, 375);
            Measure("500x375", "decodePhotosPerSecond", photos.Files);
        }
        AnsiConsole.Write(table);
        MakeBatches(context);
    }

    private static double DecodingSpeed(IReadOnlyList<string> files)
    {
        var ml = new MLContext(seed: 1);
        IDataView view = ml.Data.LoadFromEnumerable(files.Select(path => new FileRow { Path = path }).ToList());
        long start = Stopwatch.GetTimestamp();
        using ImageStore store = ml.Data.LoadImageStore(view, nameof(FileRow.Path), new ImagePreprocessing { Height = 64, Width = 64 });
        return store.Count / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    // Nothing is prepared ahead: a step waits for its batch as long as that takes to make, and for nothing else.
    private static void MakeBatches(BenchmarkContext context)
    {
        SideSettings train = context.Settings("train", steps: 4) with { Bf16 = Hardware.FastestPrecision() == Precision.BFloat16 };
        SideSettings batch = train with { Job = "batch", Steps = context.Quick ? 1 : 40 };
        const string step = "the whole step";
        IReadOnlyList<SideResult> results = Side.Measure(
            [
                new Side(step, train), new Side("images as they are", batch),
                new Side("images flipped, cropped and resized at random", batch with { Augment = true }),
            ], context.RoundsOr(3), context.Say);
        double whole = results[0].StepSeconds.Median;
        Table table = Text.Table($"Later epochs: batches of {train.Batch} with their masks", "", "images/s", "time", "share of the step");
        foreach (SideResult side in results)
        {
            double seconds = side.StepSeconds.Median;
            table.AddRow(side.Name, Text.Number(side.ImagesPerSecond, "0"), Text.Seconds(seconds), Text.Number(seconds / whole, "0.00%"));
            if (side.Name == step) continue;
            string name = side.Settings.Augment ? "Augmented" : "";
            context.Report.Add($"feed{name}ImagesPerSecond", side.ImagesPerSecond);
            context.Report.Add($"batchFractionOfStep{name}", seconds / whole);
        }
        AnsiConsole.Write(table);
        context.Report.AddMeasurements("feeding", results);
    }
}

/// <summary>A row of a data view: an image's path.</summary>
internal sealed class FileRow
{
    public string Path { get; set; } = "";
}

/// <summary>A folder of JPEG files that were drawn for a benchmark; gone when it is over.</summary>
internal sealed class DrawnImages : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("smae-bench-");

    public DrawnImages(int count, int width, int height) => Files = [.. Enumerable.Range(0, count).Select(i => Draw(i, width, height))];

    public string Folder => _folder.FullName;

    public IReadOnlyList<string> Files { get; }

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>
    /// Noise of every size, weaker the finer it is, as photographs have it: it compresses about as well as these, so that a decoder has as much to do.
    /// </summary>
    private string Draw(int number, int width, int height)
    {
        var random = new Random(number);
        var sums = new float[3 * width * height];
        float strength = 70;
        for (float cell = width / 2f; cell >= 1; cell /= 2, strength *= 0.7f)
        {
            int across = (int)(width / cell) + 2, down = (int)(height / cell) + 2;
            var corners = new float[3 * across * down];
            for (int i = 0; i < corners.Length; i += 3)
            {
                float light = random.NextSingle() * 2 - 1;   // colours vary less than light does
                for (int c = 0; c < 3; c++) corners[i + c] = strength * (light + 0.3f * (random.NextSingle() * 2 - 1));
            }
            for (int at = 0; at < sums.Length; at++)
            {
                (float x, float y) = (at / 3 % width / cell, at / 3 / width / cell);
                int corner = 3 * ((int)y * across + (int)x) + at % 3, below = corner + 3 * across;
                (float right, float low) = (x - (int)x, y - (int)y);
                sums[at] += (corners[corner] * (1 - right) + corners[corner + 3] * right) * (1 - low) + (corners[below] * (1 - right) + corners[below + 3] * right) * low;
            }
        }
        var pixels = new byte[4 * width * height];
        for (int i = 0; i < pixels.Length; i++) pixels[i] = i % 4 == 3 ? byte.MaxValue : (byte)Math.Clamp(120 + sums[i / 4 * 3 + i % 4], 0, 255);
        using var image = SKImage.FromPixelCopy(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque), pixels);
        using SKData file = image.Encode(SKEncodedImageFormat.Jpeg, quality: 85);
        string path = Path.Combine(_folder.FullName, $"image{number:00000}.jpg");
        File.WriteAllBytes(path, file.Span);
        return path;
    }
}
