using System.Diagnostics;
using Microsoft.ML;
using Smae.MLNet;

namespace ImageSearch;

/// <summary>The two commands. An index is a folder: the encoder that made it, so that a query is embedded alike, and the embeddings.</summary>
internal static class Search
{
    private const string EncoderFile = "encoder.safetensors", EmbeddingsFile = "embeddings.bin";

    public static void Index(DirectoryInfo images, FileInfo encoder, DirectoryInfo index, int? gpu)
    {
        var clock = Stopwatch.StartNew();
        MLContext ml = Context(gpu);
        EmbeddedImages embedded = EmbeddedImages.Of(Embed(ml, ml.Data.LoadFromEnumerable(ImageRow.In(images)), encoder.FullName));
        index.Create();
        foreach (string extension in (string[])[".safetensors", ".json"])   // the weights, and what shape they have
        {
            string copy = Path.Combine(index.FullName, Path.ChangeExtension(EncoderFile, extension));
            File.Copy(Path.ChangeExtension(encoder.FullName, extension), copy + ".tmp", overwrite: true);
            File.Move(copy + ".tmp", copy, overwrite: true);
        }
        embedded.Save(Path.Combine(index.FullName, EmbeddingsFile));
        Console.WriteLine($"{embedded.Count} images, {embedded.Dimension} numbers each ({clock.Elapsed:mm\\:ss}): {index.FullName}");
    }

    public static void Query(FileInfo[] asked, DirectoryInfo index, int count, FileInfo page, int? gpu)
    {
        EmbeddedImages all = EmbeddedImages.Load(Path.Combine(index.FullName, EmbeddingsFile));
        MLContext ml = Context(gpu);
        FileInfo? missing = asked.FirstOrDefault(f => !f.Exists);
        if (missing is not null) throw new FileNotFoundException($"There is no image {missing}.");
        IDataView rows = ml.Data.LoadFromEnumerable(asked.Select(f => new ImageRow { ImagePath = f.FullName }));
        EmbeddedImages queries = all.Queries(Embed(ml, rows, Path.Combine(index.FullName, EncoderFile)));

        List<(string Asked, IReadOnlyList<Neighbor> Found)> results = [];
        for (int i = 0; i < queries.Count; i++) results.Add((queries.Path(i), all.Nearest(queries.Direction(i), count, except: queries.Path(i))));
        foreach ((string image, IReadOnlyList<Neighbor> found) in results)
        {
            Console.WriteLine(image);
            foreach (Neighbor neighbor in found) Console.WriteLine($"  {neighbor.Similarity:F3}  {neighbor.Path}");
        }
        ResultPage.Save(page, results);
        Console.WriteLine(page.FullName);
    }

    /// <summary>Embeddings of a data view with a column <c>ImagePath</c>, in batches. Images that cannot be read are reported.</summary>
    private static IEnumerable<EmbeddedRow> Embed(MLContext ml, IDataView rows, string encoder)
    {
        var pipeline = ml.Transforms.MaeEmbedding("Embedding", "ImagePath", encoder);
        IDataView embedded = pipeline.Fit(rows).Transform(rows);
        return ml.Data.CreateEnumerable<EmbeddedRow>(embedded, reuseRowObject: false, ignoreMissingColumns: true);
    }

    private static MLContext Context(int? gpu)
    {
        var ml = new MLContext { GpuDeviceId = gpu, FallbackToCpu = false };
        ml.Log += (_, e) => { if (e.Kind >= Microsoft.ML.Runtime.ChannelMessageKind.Warning) Console.Error.WriteLine(e.Message); };
        return ml;
    }
}
