using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Transforms.Image;
using Smae.Export;
using Smae.MLNet;
using Smae.Training;
using Spectre.Console;

namespace Smae.Benchmarks;

/// <summary>
/// Images a second of an encoder through TorchSharp, ONNX Runtime, ML.NET's ApplyOnnxModel and OnnxEmbedding, from pixels
/// in memory and from files. The ways take turns, forwards and backwards, so that what else the machine does falls on all.
/// </summary>
internal sealed class ScoringBenchmark : IBenchmark
{
    public string Name => "scoring";

    public string Description => "Embeddings from memory and from files, through TorchSharp, ONNX Runtime and ML.NET.";

    public void Run(BenchmarkContext context)
    {
        int rounds = context.RoundsOr(5), batch = context.Batch ?? (context.Quick ? 4 : context.Model.IsLarge ? 8 : 64);
        using var contestants = new ScoringContestants(context.Model, context.Quick ? 4 : context.Model.IsLarge ? 32 : 256, batch);
        IReadOnlyList<ScoringContestant> all = contestants.All;
        float[][] embeddings = [.. all.Select(_ => new float[contestants.Count * contestants.Dim])];
        List<double>[] speeds = [.. all.Select(_ => new List<double>())];
        for (int c = 0; c < all.Count; c++) all[c].Embed(embeddings[c]);   // the round that does not count
        for (int round = 0; round < rounds; round++)
        for (int turn = 0; turn < all.Count; turn++)
        {
            int c = round % 2 == 0 ? turn : all.Count - 1 - turn;
            long start = Stopwatch.GetTimestamp();
            all[c].Embed(embeddings[c]);
            speeds[c].Add(contestants.Count / Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        Table table = Text.Table(
            $"{context.Model.Image}x{context.Model.Image}, {contestants.Count} images a round, median of {rounds} rounds", "", "from", "images/s", "range",
            $"of {ScoringContestants.Apply}", "max difference");
        var measured = new List<object>();
        double Median(string name, string from) => Spread.Of(speeds[all.ToList().FindIndex(a => a.Name == name && a.From == from)]).Median;
        for (int c = 0; c < all.Count; c++)
        {
            Spread speed = Spread.Of(speeds[c]);
            double ofApply = speed.Median / Median(ScoringContestants.Apply, all[c].From);
            double difference = embeddings[c].Zip(embeddings[0], (one, other) => Math.Abs((double)one - other)).Max();
            table.AddRow(
                all[c].Name, all[c].From, Text.Number(speed.Median), $"{Text.Number(speed.Least)} - {Text.Number(speed.Most)}",
                Text.Number(ofApply, "0.00"), Text.Number(difference, "0.0e0"));
            measured.Add(new { all[c].Name, all[c].From, ImagesPerSecond = speed, OfApplyOnnxModel = ofApply, MaxDifference = difference });
        }
        AnsiConsole.Write(table);
        context.Report.AddMeasurements(Name, measured);
        foreach ((string from, string figure) in (ReadOnlySpan<(string, string)>)[("memory", "onnxEmbeddingFromMemory"), ("files", "onnxEmbeddingFromFiles")])
        {
            context.Report.Add($"{figure}ImagesPerSecond", Median(ScoringContestants.Batched, from));
            context.Report.Add($"{figure}VsApplyOnnxModel", Median(ScoringContestants.Batched, from) / Median(ScoringContestants.Apply, from));
        }
        double session = all.Where(a => a.Name.StartsWith(ScoringContestants.Session, StringComparison.Ordinal)).Max(a => Median(a.Name, a.From));
        context.Report.Add("onnxEmbeddingFromMemoryVsOnnxRuntime", Median(ScoringContestants.Batched, "memory") / session);
    }
}

/// <summary>A way to make embeddings <c>[images, dim]</c> of all images, from memory or from files.</summary>
internal sealed record ScoringContestant(string Name, string From, Action<float[]> Embed);

/// <summary>Ways to make embeddings of the same images with the same weights, set up and ready to run.</summary>
internal sealed class ScoringContestants : IDisposable
{
    public const string Apply = "ML.NET ApplyOnnxModel", Batched = "OnnxEmbedding", Session = "ONNX Runtime, ";
    private readonly int _size;
    private readonly DrawnImages _images;
    private readonly Stack<IDisposable> _owned = [];

    /// <summary>Draws images, writes them as JPEG files of the model's size, makes an encoder and exports it; the batch is for contestants that have a choice.</summary>
    public ScoringContestants(ModelShape model, int count, int batchSize)
    {
        _size = model.Image;
        var ml = new MLContext(seed: 1);
        _images = new DrawnImages(count, _size, _size);
        ImageEncoder encoder = Own(ImageEncoder.Create(model.ToEncoder(), seed: 1));
        (Count, Dim) = (count, encoder.EmbedDim);
        string onnx = Path.Combine(_images.Folder, "encoder.onnx");
        encoder.ExportOnnx(onnx);

        FileRow[] files = [.. _images.Files.Select(path => new FileRow { Path = path })];
        IDataView paths = ml.Data.LoadFromEnumerable(files);
        byte[] pixels;
        using (ImageStore store = ml.Data.LoadImageStore(paths, nameof(FileRow.Path), encoder.Preprocessing))
            pixels = [.. Enumerable.Range(0, count).SelectMany(i => store[i].ToArray())];
        int bytes = encoder.Preprocessing.ByteCount;
        var schema = SchemaDefinition.Create(typeof(PixelRow));
        schema["images"].ColumnType = new VectorDataViewType(NumberDataViewType.Byte, _size, _size, 3);
        IDataView vectors = ml.Data.LoadFromEnumerable(
            Enumerable.Range(0, count).Select(i => new PixelRow { Pixels = pixels[(i * bytes)..((i + 1) * bytes)] }).ToList(),
            schema);
        IDataView decoded = ml.Data.LoadFromEnumerable(files.Select(f => new ImageRow { Image = Own(MLImage.CreateFromFile(f.Path)) }).ToList());

        // ApplyOnnxModel takes the pixels as they are in memory: no cost of images is on its bill.
        ITransformer apply = Own(ml.Transforms.ApplyOnnxModel("embedding", "images", onnx).Fit(vectors));
        ITransformer applyToFiles = Own(ml.Transforms.LoadImages("Image", "", nameof(FileRow.Path))
            .Append(ml.Transforms.ResizeImages("Image", _size, _size))
            .Append(ml.Transforms.ExtractPixels("images", "Image", interleavePixelColors: true, outputAsFloatArray: false))
            .Append(ml.Transforms.ApplyOnnxModel("embedding", "images", onnx)).Fit(paths));
        ITransformer batched = Own(ml.Transforms.OnnxEmbedding("embedding", nameof(ImageRow.Image), onnx, batchSize).Fit(decoded));
        ITransformer batchedFiles = Own(ml.Transforms.OnnxEmbedding("embedding", nameof(FileRow.Path), onnx, batchSize).Fit(paths));
        InferenceSession session = Own(new InferenceSession(onnx));
        All =
        [
            new("TorchSharp", "memory", outputs => InBatches(batchSize, (from, some) =>
                encoder.Embed(pixels.AsSpan(from * bytes, some * bytes), some, outputs.AsSpan(from * Dim, some * Dim)))),
            new($"{Session}batch 1", "memory", outputs => InBatches(1, (from, some) => RunSession(session, pixels, from, some, outputs))),
            new($"{Session}batch {batchSize}", "memory", outputs => InBatches(batchSize, (from, some) => RunSession(session, pixels, from, some, outputs))),
            new(Apply, "memory", outputs => Read(apply.Transform(vectors), outputs)),
            new(Batched, "memory", outputs => Read(batched.Transform(decoded), outputs)),
            new(Apply, "files", outputs => Read(applyToFiles.Transform(paths), outputs)),
            new(Batched, "files", outputs => Read(batchedFiles.Transform(paths), outputs)),
        ];
    }

    /// <summary>All of them, TorchSharp first.</summary>
    public IReadOnlyList<ScoringContestant> All { get; }

    public int Count { get; }

    public int Dim { get; }

    public void Dispose()
    {
        while (_owned.TryPop(out IDisposable? one)) one.Dispose();
        _images.Dispose();
    }

    private void InBatches(int size, Action<int, int> run)
    {
        for (int from = 0; from < Count; from += size) run(from, Math.Min(size, Count - from));
    }

    private void RunSession(InferenceSession session, byte[] pixels, int from, int some, float[] outputs)
    {
        int bytes = _size * _size * 3;
        using var input = OrtValue.CreateTensorValueFromMemory(
            OrtMemoryInfo.DefaultInstance, pixels.AsMemory(from * bytes, some * bytes), [some, _size, _size, 3]);
        using var options = new RunOptions();
        using var results = session.Run(options, ["images"], [input], ["embedding"]);
        results[0].GetTensorDataAsSpan<float>().CopyTo(outputs.AsSpan(from * Dim, some * Dim));
    }

    private void Read(IDataView view, float[] outputs)
    {
        int row = 0;
        foreach (VBuffer<float> value in view.GetColumn<VBuffer<float>>("embedding")) value.CopyTo(outputs, Dim * row++);
    }

    private T Own<T>(T one) where T : class
    {
        if (one is IDisposable disposable) _owned.Push(disposable);
        return one;
    }

    private sealed class ImageRow
    {
        [ImageType(64, 64)]   // must name a size, which nothing here looks at
        public MLImage Image { get; set; } = null!;
    }

    private sealed class PixelRow
    {
        [ColumnName("images")]
        public byte[] Pixels { get; set; } = [];
    }
}
