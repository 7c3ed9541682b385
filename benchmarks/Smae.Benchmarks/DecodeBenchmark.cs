using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using SkiaSharp;
using Smae.MLNet;
using Smae.Training;
using Spectre.Console;

namespace Smae.Benchmarks;

/// <summary>JPEG files to 64x64 pixels: Smae, SkiaSharp's full decode, ML.NET's LoadImages and ResizeImages; on one thread, and on all cores.</summary>
internal sealed class DecodeBenchmark : IBenchmark
{
    private const string Smae = "Smae", Skia = "SkiaSharp, full decode", MlNet = "ML.NET LoadImages + ResizeImages";

    public string Name => "decode";

    public string Description => "JPEG files of 500x375 to 64x64 pixels: images a second, against SkiaSharp's full decode and ML.NET's LoadImages and ResizeImages.";

    public void Run(BenchmarkContext context)
    {
        using DrawnImages? drawn = context.Images is null ? new DrawnImages(context.Quick ? 4 : 200, 500, 375) : null;
        string folder = context.Images?.FullName ?? drawn!.Folder;
        IReadOnlyList<string> files = DecodeSide.FilesOf(folder);
        double kilobytes = files.Average(f => new FileInfo(f).Length) / 1024;
        SideSettings settings = context.Settings("decode", steps: 1) with { Folder = folder, Steps = 1, Batch = files.Count };
        var sides =
            from threads in new[] { 1, Environment.ProcessorCount }.Distinct()
            from way in new[] { (Name: Smae, Job: "decode"), (Name: Skia, Job: "decode-skia"), (Name: MlNet, Job: "decode-mlnet") }
            select new Side(NameOf(way.Name, threads), settings with { Job = way.Job, Threads = threads }, () => OnThreads(threads));
        Dictionary<string, SideResult> results = Side.Measure([.. sides], context.RoundsOr(5), context.Say).ToDictionary(side => side.Name);

        Table table = Text.Table(
            $"{files.Count} JPEG files of {Text.Number(kilobytes)} KiB to 64x64 pixels, {context.RoundsOr(5)} rounds, medians", "", "threads", "images/s", "range",
            "Smae is faster by");
        foreach (SideResult side in results.Values)
            table.AddRow(
                Markup.Escape(side.Name), $"{side.Settings.Threads}", Text.Number(side.ImagesPerSecond, "0"),
                $"{Text.Number(files.Count / side.StepSeconds.Most, "0")} - {Text.Number(files.Count / side.StepSeconds.Least, "0")}",
                side.Settings.Job == "decode" ? "" : Text.Number(results[NameOf(Smae, side.Settings.Threads)].SpeedOver(side), "0.00"));
        AnsiConsole.Write(table);
        context.Report.AddMeasurements(Name, results.Values);
        foreach ((string figure, int threads) in new[] { ("decode", Environment.ProcessorCount), ("decodeOneThread", 1) })
        {
            SideResult ours = results[NameOf(Smae, threads)];
            context.Report.Add($"{figure}ImagesPerSecond", ours.ImagesPerSecond);
            context.Report.Add($"{figure}VsSkiaFull", ours.SpeedOver(results[NameOf(Skia, threads)]));
            context.Report.Add($"{figure}VsMlNet", ours.SpeedOver(results[NameOf(MlNet, threads)]));
        }
        double difference = DecodeSide.MeanDifference([.. files.Take(200)]);
        context.Report.Add("decodeKilobytesPerFile", kilobytes);
        context.Report.Add("decodeMeanDifference", difference);
        AnsiConsole.WriteLine($"Pixels differ from those of the full decode by {Text.Number(difference, "0.00")} of 255 on average.");
    }

    private static string NameOf(string side, int threads) => threads == 1 ? $"{side}, one thread" : side;

    // .NET's own setting of how many cores a process sees.
    private static ProcessStartInfo OnThreads(int threads) =>
        new("dotnet", [typeof(Side).Assembly.Location, "side"]) { Environment = { ["DOTNET_PROCESSOR_COUNT"] = $"{threads}" } };
}

/// <summary>A side of <see cref="DecodeBenchmark"/>, in a process that sees as many cores as it is to use.</summary>
internal static class DecodeSide
{
    private const int Size = 64;

    public static void Run(SideSettings settings)
    {
        IReadOnlyList<string> files = FilesOf(settings.Folder!);
        switch (settings.Job)
        {
            case "decode": RoundGate.Each(() => Smae(files).Dispose()); break;
            case "decode-skia": RoundGate.Each(() => Parallel.ForEach(files, file => Skia(file))); break;
            case "decode-mlnet": RoundGate.Each(() => MlNet(files)); break;
        }
    }

    /// <exception cref="InvalidOperationException">There is none.</exception>
    public static IReadOnlyList<string> FilesOf(string folder) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(f => Path.GetExtension(f).ToLowerInvariant() is ".jpg" or ".jpeg")
            .Order(StringComparer.Ordinal).Take(5000).ToArray() is { Length: > 0 } files
                ? files : throw new InvalidOperationException($"There is no JPEG file in {folder}.");

    /// <summary>The mean absolute difference of our pixels from those of the full decode.</summary>
    public static double MeanDifference(IReadOnlyList<string> files)
    {
        using ImageStore store = Smae(files);
        return Enumerable.Range(0, files.Count).Average(i =>
        {
            byte[] full = Skia(files[i]), ours = store[i].ToArray();
            return Enumerable.Range(0, ours.Length).Average(at => (double)Math.Abs(
                ours[at] - full[at / 3 * 4 + (SKImageInfo.PlatformColorType == SKColorType.Bgra8888 ? 2 - at % 3 : at % 3)]));
        });
    }

    private static ImageStore Smae(IReadOnlyList<string> files)
    {
        var ml = new MLContext(seed: 1);
        IDataView view = ml.Data.LoadFromEnumerable(files.Select(path => new FileRow { Path = path }).ToList());
        return ml.Data.LoadImageStore(view, nameof(FileRow.Path), new ImagePreprocessing { Height = Size, Width = Size });
    }

    /// <summary>What one writes with SkiaSharp: decode all pixels, draw the middle of them smaller.</summary>
    private static byte[] Skia(string file)
    {
        using SKBitmap image = SKBitmap.Decode(file), small = new(Size, Size, isOpaque: true);
        using var canvas = new SKCanvas(small);
        using var paint = new SKPaint { FilterQuality = SKFilterQuality.High };
        float scale = Math.Max((float)Size / image.Width, (float)Size / image.Height);
        int left = (int)((Size - image.Width * scale) / 2), top = (int)((Size - image.Height * scale) / 2);
        canvas.DrawBitmap(image, SKRectI.Create(left, top, (int)(image.Width * scale), (int)(image.Height * scale)), paint);
        return small.Bytes;
    }

    private static void MlNet(IReadOnlyList<string> files)
    {
        var ml = new MLContext(seed: 1);
        IDataView paths = ml.Data.LoadFromEnumerable(files.Select(path => new FileRow { Path = path }).ToList());
        IDataView view = ml.Transforms.LoadImages("Image", "", nameof(FileRow.Path))
            .Append(ml.Transforms.ResizeImages("Image", Size, Size, resizing: ImageResizingEstimator.ResizingKind.IsoCrop)).Fit(paths).Transform(paths);
        using DataViewRowCursor cursor = view.GetRowCursor([view.Schema["Image"]]);
        ValueGetter<MLImage> getter = cursor.GetGetter<MLImage>(view.Schema["Image"]);
        MLImage image = null!;
        while (cursor.MoveNext()) getter(ref image);   // which disposes the image before
        image?.Dispose();
    }
}
