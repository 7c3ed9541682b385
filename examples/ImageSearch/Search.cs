using Examples;
using System.Diagnostics;
using System.Net;
using System.Text;
using Microsoft.Extensions.AI;
using Smae.MLNet;
using Smae.Training;

namespace ImageSearch;

/// <summary>The two commands. An index is a folder: the encoder that made it, so that a query is embedded alike, and the embeddings.</summary>
internal static class Search
{
    private const string EncoderFile = "encoder.safetensors", EmbeddingsFile = "embeddings.bin";

    public static async Task Index(DirectoryInfo images, FileInfo encoder, DirectoryInfo index, int? gpu, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        string[] files = [.. ImageRow.In(images).Select(row => row.ImagePath)];
        EmbeddedImages embedded = EmbeddedImages.Of(await Embed(files, encoder.FullName, gpu, cancellation));
        index.Create();
        string description = Path.ChangeExtension(EncoderFile, ".json");
        string New(string name) => Path.Combine(index.FullName, name + ".new");
        embedded.Save(New(EmbeddingsFile));
        File.Copy(encoder.FullName, New(EncoderFile), overwrite: true);
        File.Copy(Path.ChangeExtension(encoder.FullName, ".json"), New(description), overwrite: true);
        // Only now that all of them are there: embeddings beside the encoder of an earlier index would find anything.
        foreach (string name in (string[])[EmbeddingsFile, EncoderFile, description]) File.Move(New(name), Path.Combine(index.FullName, name), overwrite: true);
        Console.WriteLine($"{embedded.Count} images, {embedded.Dimension} numbers each ({clock.Elapsed:mm\\:ss}): {index.FullName}");
    }

    public static async Task Query(FileInfo[] asked, DirectoryInfo index, int count, FileInfo page, int? gpu, CancellationToken cancellation)
    {
        FileInfo? missing = asked.FirstOrDefault(f => !f.Exists);
        if (missing is not null) throw new FileNotFoundException($"There is no image {missing}.");
        EmbeddedImages all = EmbeddedImages.Load(Path.Combine(index.FullName, EmbeddingsFile));
        string[] files = [.. asked.Select(f => f.FullName)];
        EmbeddedImages queries = all.Queries(await Embed(files, Path.Combine(index.FullName, EncoderFile), gpu, cancellation));

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

    /// <summary>
    /// Embeds files. Each is a call of its own: calls that are under way together share batches, and a file that cannot be read fails alone.
    /// </summary>
    /// <returns>The images that could be read, in the order of the files. The others are reported.</returns>
    private static async Task<IReadOnlyList<EmbeddedImage>> Embed(string[] files, string encoder, int? gpu, CancellationToken cancellation)
    {
        var options = new ImageEmbeddingOptions { GpuDeviceId = gpu };
        using var generator = ImageEmbeddingGenerator.Load(encoder, options);
        var embedded = new EmbeddedImage?[files.Length];
        // Twice as many calls as a batch takes: while one is computed the next is decoded.
        var concurrency = new ParallelOptions { MaxDegreeOfParallelism = 2 * options.BatchSize, CancellationToken = cancellation };
        await Parallel.ForEachAsync(Enumerable.Range(0, files.Length), concurrency, async (i, token) =>
        {
            try
            {
                if (((FileInfo?)File.ResolveLinkTarget(files[i], returnFinalTarget: true) ?? new FileInfo(files[i])).Length == 0)
                    throw new InvalidDataException("it is empty, or a pipe or device, which would be waited for.");
                DataContent image = await DataContent.LoadFromAsync(files[i], cancellationToken: token);
                embedded[i] = new EmbeddedImage(files[i], await generator.GenerateVectorAsync(image, cancellationToken: token));
            }
            catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
            {
                Console.Error.WriteLine($"{files[i]} is left out: {e.Message}");
            }
        });
        return [.. embedded.OfType<EmbeddedImage>()];
    }
}

/// <summary>Results as an HTML page that shows the image files themselves.</summary>
internal static class ResultPage
{
    private const string Head = """
        <!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Image search</title><style>
        body { font: 14px/1.4 sans-serif; margin: 2rem } section { display: flex; flex-wrap: wrap; gap: .6rem; margin-bottom: 2rem }
        figure { margin: 0; width: 10rem } img { width: 10rem; height: 10rem; object-fit: cover } .asked img { outline: 3px solid #1f6fb4 }
        figcaption { overflow-wrap: anywhere; color: #555; font-size: 12px }</style></head><body><h1>Image search</h1>

        """;

    public static void Save(FileInfo page, IReadOnlyList<(string Asked, IReadOnlyList<Neighbor> Found)> results)
    {
        string Figure(string path, string caption, string kind)
        {
            string relative = Path.GetRelativePath(page.DirectoryName!, path).Replace(Path.DirectorySeparatorChar, '/');
            string link = WebUtility.HtmlEncode(string.Join('/', relative.Split('/').Select(Uri.EscapeDataString)));
            return $"<figure class=\"{kind}\"><a href=\"{link}\"><img src=\"{link}\" alt=\"\" loading=\"lazy\"></a>"
                + $"<figcaption>{WebUtility.HtmlEncode(caption)}</figcaption></figure>\n";
        }
        var html = new StringBuilder(Head);
        foreach ((string asked, IReadOnlyList<Neighbor> found) in results)
        {
            html.Append("<section>\n").Append(Figure(asked, Path.GetFileName(asked), "asked"));
            foreach (Neighbor neighbor in found)
                html.Append(Figure(neighbor.Path, $"{neighbor.Similarity:F3} {Path.GetFileName(neighbor.Path)}", "found"));
            html.Append("</section>\n");
        }
        html.Append("</body></html>\n");
        AtomicFile.Write(page.FullName, file => file.Write(Encoding.UTF8.GetBytes(html.ToString())));
    }
}
