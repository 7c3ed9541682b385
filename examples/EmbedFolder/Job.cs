using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using Examples;
using Microsoft.ML;
using Microsoft.ML.Data;
using Smae.MLNet;
using Smae.Training;

namespace EmbedFolder;

/// <summary>
/// Embeds what is not embedded yet. A file of rows is written under a temporary name, synced and renamed, so each file that is there is whole; what they hold is
/// the state of the run, and every image is in one of them once.
/// </summary>
internal sealed class Job
{
    private const string RunFile = "run.json";
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };

    public required DirectoryInfo Images { get; init; }

    public required FileInfo Encoder { get; init; }

    public required DirectoryInfo Folder { get; init; }

    /// <summary>Null: float32, or what an ONNX file has.</summary>
    public Precision? Precision { get; init; }

    public int BatchSize { get; init; } = 64;

    /// <summary>Rows of a file.</summary>
    public int FileRows { get; init; } = 10_000;

    public required Part Part { get; init; }

    public int? GpuDeviceId { get; init; }

    public void Run(CancellationToken cancellation)
    {
        if (!Images.Exists) throw new DirectoryNotFoundException($"There is no folder {Images}.");
        if (!Encoder.Exists) throw new FileNotFoundException($"There is no encoder {Encoder}.");
        Folder.Create();
        using FileStream _ = Lock();
        RunOf run = ThisRun();
        CheckRun(run, begins: false);
        foreach (FileInfo torn in Folder.EnumerateFiles($"{Name}-*.tmp")) torn.Delete();   // of a run that was killed

        var ml = new MLContext { GpuDeviceId = GpuDeviceId };
        var walk = new ImageWalk(Path.GetFullPath(Images.FullName), Part);
        long done = CountDone(ml, walk);
        long left = walk.Left().LongCount();
        Console.WriteLine($"part {Part}: {left} images to embed, {done} embedded before in {Folder}");
        if (left == 0) return;

        using ImageEncoder? encoder = IsOnnx ? null : LoadEncoder();
        using ImageTransformer transformer = Transformer(ml, encoder);
        CheckRun(run, begins: true);
        var progress = new Progress(left);
        int number = 0;
        foreach (ImageRow[] rows in walk.Left().Chunk(FileRows))
        {
            while (Path.Exists(PathOf(number))) number++;
            IDataView embedded = transformer.Transform(ml.Data.LoadFromEnumerable(progress.Over(rows, cancellation)));
            ml.Data.SaveEmbeddings(embedded, PathOf(number), cancellationToken: cancellation);
        }
        progress.End();
        long broken = Folder.EnumerateFiles($"{Name}-*.parquet")
            .Sum(file => ml.Data.LoadEmbeddings(file.FullName).GetColumn<string>("Error").LongCount(e => e.Length > 0));
        Console.WriteLine($"part {Part}: done, {broken} images cannot be read: their column error says why");
    }

    /// <exception cref="InvalidDataException">A file of rows is damaged.</exception>
    private long CountDone(MLContext ml, ImageWalk walk)
    {
        if (!Folder.EnumerateFiles("*.parquet").Any()) return 0;
        try { return ml.Data.LoadEmbeddings(Folder.FullName).GetColumn<string>("ImagePath").LongCount(walk.Done); }
        catch (InvalidDataException e) { throw new InvalidDataException($"{e.Message} Once that file is deleted, its images are embedded again.", e); }
    }

    private bool IsOnnx => string.Equals(Encoder.Extension, ".onnx", StringComparison.OrdinalIgnoreCase);

    private string Name => $"part-{Part.Index:000}-of-{Part.Count:000}";

    private string PathOf(int number) => Path.Combine(Folder.FullName, $"{Name}-{number:000000}.parquet");

    private ImageEncoder LoadEncoder()
    {
        ImageEncoder encoder = ImageEncoder.Load(Encoder.FullName, Gpu.Of(GpuDeviceId));
        encoder.Model.Precision = Precision ?? Smae.Training.Precision.Float32;
        return encoder;
    }

    private ImageTransformer Transformer(MLContext ml, ImageEncoder? encoder)
    {
        IDataView schema = ml.Data.LoadFromEnumerable<ImageRow>([]);
        return encoder is null
            ? ml.Transforms.OnnxEmbedding("Embedding", "ImagePath", Encoder.FullName, BatchSize, errorColumnName: "Error").Fit(schema)
            : ml.Transforms.MaeEmbedding("Embedding", "ImagePath", encoder, errorColumnName: "Error", batchSize: BatchSize).Fit(schema);
    }

    /// <exception cref="IOException">Another process embeds the same part.</exception>
    private FileStream Lock()
    {
        string path = Path.Combine(Folder.FullName, $"{Name}.lock");
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException e) { throw new IOException($"Part {Part} is being embedded into {Folder} by another process, which holds {path}.", e); }
    }

    /// <exception cref="ArgumentException">The precision is not the encoder's to choose.</exception>
    private RunOf ThisRun()
    {
        if (IsOnnx && Precision is not null) throw new ArgumentException($"--precision is {Precision}: {Encoder} is an ONNX file, which has its own. Leave it out.");
        using FileStream stream = Encoder.OpenRead();
        return new RunOf(Convert.ToHexStringLower(SHA256.HashData(stream)), IsOnnx ? "the file's" : $"{Precision ?? Smae.Training.Precision.Float32}");
    }

    /// <summary>Files of one folder are of one encoder: all numbers in it can be compared.</summary>
    /// <param name="begins">Whether the encoder is loaded: one that cannot be leaves a new folder to the next.</param>
    /// <exception cref="InvalidOperationException">The folder holds embeddings of another encoder, or in another precision.</exception>
    private void CheckRun(RunOf run, bool begins)
    {
        string path = Path.Combine(Folder.FullName, RunFile);
        if (!File.Exists(path) && !begins) return;
        if (!File.Exists(path)) AtomicFile.Write(path, file => JsonSerializer.Serialize(file, run, s_json));   // ranks may write it at once: it is the same
        RunOf earlier;
        try { earlier = JsonSerializer.Deserialize<RunOf>(File.ReadAllText(path)) ?? throw new JsonException("it is null."); }
        catch (JsonException e) { throw new InvalidDataException($"{path} is damaged: {e.Message}", e); }
        if (earlier != run)
            throw new InvalidOperationException(
                $"{Folder} holds embeddings of the encoder {earlier.EncoderSha256} (precision {earlier.Precision}), and this is {run.EncoderSha256} (precision "
                + $"{run.Precision}): numbers of two encoders cannot be compared. Choose another --out.");
    }

    /// <summary>What all files of a folder have in common.</summary>
    private sealed record RunOf(string EncoderSha256, string Precision);
}

/// <summary>Tells, every few seconds, how far the run is, how fast, and how long it will take.</summary>
internal sealed class Progress(long total)
{
    private static readonly TimeSpan s_every = TimeSpan.FromSeconds(2);
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private TimeSpan _told;
    private long _count;

    /// <summary>Counts rows as they are read: the one or two batches that are being computed are counted ahead.</summary>
    public IEnumerable<ImageRow> Over(IEnumerable<ImageRow> rows, CancellationToken cancellation)
    {
        foreach (ImageRow row in rows)
        {
            cancellation.ThrowIfCancellationRequested();
            yield return row;
            _count++;
            if (_clock.Elapsed - _told < s_every) continue;
            _told = _clock.Elapsed;
            Tell();
        }
    }

    public void End() => Tell();

    private void Tell()
    {
        double speed = _count / _clock.Elapsed.TotalSeconds;
        TimeSpan left = TimeSpan.FromSeconds(Math.Max(0, total - _count) / Math.Max(speed, 1e-3));
        Console.WriteLine(FormattableString.Invariant(
            $"{_count} of {total} images, {speed:0} images/s, {(int)left.TotalHours}:{left:mm\\:ss} left, {Environment.WorkingSet >> 20} MiB of memory"));
    }
}
