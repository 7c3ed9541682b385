using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Transforms.Image;
using Smae.Export;
using Smae.MLNet;
using Smae.Training;

namespace Smae.Benchmarks;

/// <summary>Ways to make embeddings of the same images with the same weights, set up and ready to run.</summary>
internal sealed class ScoringContestants : IDisposable
{
    public const string Torch = "TorchSharp", Apply = "ML.NET ApplyOnnxModel", Batched = "OnnxEmbedding";
    private const int Size = 64;

    private readonly DrawnImages _images;
    private readonly Stack<IDisposable> _owned = [];

    /// <summary>Draws images, writes them as JPEG files of 64x64 pixels, makes an encoder and exports it.</summary>
    /// <param name="count">Number of images.</param>
    /// <param name="batchSize">Images at a time, where a contestant has a choice.</param>
    public ScoringContestants(int count, int batchSize)
    {
        var ml = new MLContext(seed: 1);
        _images = new DrawnImages(count, Size, Size);
        ImageEncoder encoder = Own(ImageEncoder.Create(VisionTransformerConfig.VitLite7_4.ForImages(Size, 4), seed: 1));
        (Count, Dim) = (count, encoder.EmbedDim);
        string onnx = Path.Combine(_images.Folder, "encoder.onnx");
        encoder.ExportOnnx(onnx);

        FileRow[] files = [.. _images.Files.Select(path => new FileRow { Path = path })];
        IDataView paths = ml.Data.LoadFromEnumerable(files);
        byte[] pixels;
        using (ImageStore store = ml.Data.LoadImageStore(paths, nameof(FileRow.Path), encoder.Preprocessing))
            pixels = [.. Enumerable.Range(0, count).SelectMany(i => store[i].ToArray())];
        int bytes = encoder.Preprocessing.ByteCount;
        IDataView vectors = ml.Data.LoadFromEnumerable(
            Enumerable.Range(0, count).Select(i => new PixelRow { Pixels = pixels[(i * bytes)..((i + 1) * bytes)] }).ToList());
        IDataView decoded = ml.Data.LoadFromEnumerable(files.Select(f => new ImageRow { Image = Own(MLImage.CreateFromFile(f.Path)) }).ToList());

        // ApplyOnnxModel takes the pixels as they are in memory: no cost of images is on its bill.
        ITransformer apply = Own(ml.Transforms.ApplyOnnxModel("embedding", "images", onnx).Fit(vectors));
        ITransformer applyToFiles = Own(ml.Transforms.LoadImages("Image", "", nameof(FileRow.Path))
            .Append(ml.Transforms.ResizeImages("Image", Size, Size))
            .Append(ml.Transforms.ExtractPixels("images", "Image", interleavePixelColors: true, outputAsFloatArray: false))
            .Append(ml.Transforms.ApplyOnnxModel("embedding", "images", onnx)).Fit(paths));
        ITransformer batched = Own(ml.Transforms.OnnxEmbedding("embedding", nameof(ImageRow.Image), onnx, batchSize).Fit(decoded));
        ITransformer batchedFiles = Own(ml.Transforms.OnnxEmbedding("embedding", nameof(FileRow.Path), onnx, batchSize).Fit(paths));
        InferenceSession session = Own(new InferenceSession(onnx));
        All =
        [
            new(Torch, false, outputs => InBatches(batchSize, (from, some) =>
                encoder.Embed(pixels.AsSpan(from * bytes, some * bytes), some, outputs.AsSpan(from * Dim, some * Dim)))),
            new("ONNX Runtime, batch 1", false, outputs => InBatches(1, (from, some) => RunPlain(session, pixels, from, some, outputs))),
            new($"ONNX Runtime, batch {batchSize}", false, outputs => InBatches(batchSize, (from, some) => RunPlain(session, pixels, from, some, outputs))),
            new(Apply, false, outputs => Read(apply.Transform(vectors), outputs)),
            new(Batched, false, outputs => Read(batched.Transform(decoded), outputs)),
            new(Apply, true, outputs => Read(applyToFiles.Transform(paths), outputs)),
            new(Batched, true, outputs => Read(batchedFiles.Transform(paths), outputs)),
        ];
    }

    /// <summary>All of them, TorchSharp first.</summary>
    public IReadOnlyList<ScoringContestant> All { get; }

    /// <summary>Number of images.</summary>
    public int Count { get; }

    /// <summary>Width of an embedding.</summary>
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

    private void RunPlain(InferenceSession session, byte[] pixels, int from, int some, float[] outputs)
    {
        int bytes = Size * Size * 3;
        using var input = OrtValue.CreateTensorValueFromMemory(
            OrtMemoryInfo.DefaultInstance, pixels.AsMemory(from * bytes, some * bytes), [some, Size, Size, 3]);
        using var options = new RunOptions();
        using var results = session.Run(options, ["images"], [input], ["embedding"]);
        results[0].GetTensorDataAsSpan<float>().CopyTo(outputs.AsSpan(from * Dim, some * Dim));
    }

    private void Read(IDataView view, float[] outputs)
    {
        DataViewSchema.Column column = view.Schema["embedding"];
        using DataViewRowCursor cursor = view.GetRowCursor([column]);
        ValueGetter<VBuffer<float>> getter = cursor.GetGetter<VBuffer<float>>(column);
        VBuffer<float> value = default;
        for (int row = 0; cursor.MoveNext(); row++)
        {
            getter(ref value);
            value.CopyTo(outputs, row * Dim);
        }
    }

    private T Own<T>(T one) where T : class
    {
        if (one is IDisposable disposable) _owned.Push(disposable);
        return one;
    }

    private sealed class FileRow
    {
        public string Path { get; set; } = "";
    }

    private sealed class ImageRow
    {
        [ImageType(Size, Size)]
        public MLImage Image { get; set; } = null!;
    }

    private sealed class PixelRow
    {
        [ColumnName("images"), VectorType(Size, Size, 3)]
        public byte[] Pixels { get; set; } = [];
    }
}
