using System.Runtime.ExceptionServices;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Smae.Training;

namespace Smae.Export;

/// <summary>
/// An ONNX file of Smae at work: raw pixels in, embeddings, probabilities or reconstructions out, a batch at a time. Thread-safe: calls run side by
/// side, each with buffers of its own. The file is read once, and may be replaced or deleted afterwards.
/// </summary>
/// <remarks>
/// On a CPU a batch goes over all cores, each with a few images of its own: no operation waits for another core, and what they take stays in the
/// cache. On two cores that is 1.2 (float32) to 1.3 (int8) times as fast as ONNX Runtime with the whole batch at once. Fewer images than threads are
/// shared by all cores, in a session that the second such call opens (a program that embeds one image and ends needs none): it takes longer, unless
/// <see cref="OnnxScoringOptions.WarmUp"/> has made it.
/// </remarks>
public sealed class OnnxImageModel : IDisposable
{
    private const int RowsAtOnce = 256;   // products run at full rate then; those of more images at once outgrow the cache
    private readonly Lock _lock = new();
    private readonly OnnxOutputInfo _output;
    private readonly string _path;
    private readonly int _threads;   // that share a batch, each with images of its own: 1 on a GPU
    private readonly int _atOnce;   // images of one run
    private readonly LanePool _batches;
    private LanePool? _singles;   // of a session whose threads share one image
    private byte[]? _file;   // until both sessions are open
    private bool _scoredFew;
    private bool _disposed;

    private OnnxImageModel(string path, byte[] file, OnnxModelInfo info, OnnxScoringOptions options)
    {
        (_path, _file, Info, BatchSize) = (path, file, info, options.BatchSize);
        _output = options.OutputName is { } name ? info.Outputs.First(o => o.Name == name) : info.Outputs[0];
        int threads = options.Threads ?? Environment.ProcessorCount;
        (InferenceSession session, FallbackReason) = RuntimeSession.Open(path, file, options, threads: 1);
        Device = FallbackReason is null ? options.Device : OnnxDevice.Cpu;
        bool cpu = Device == OnnxDevice.Cpu;
        _threads = cpu ? threads : 1;
        _atOnce = cpu ? Math.Clamp(RowsAtOnce / Math.Max(1, info.PatchCount), 1, BatchSize) : BatchSize;
        _batches = new LanePool(session, info, _output);
        if (_threads > 1) return;
        (_singles, _file) = (_batches, null);
    }

    /// <summary>What the file tells about itself.</summary>
    public OnnxModelInfo Info { get; }

    /// <summary>Where it is computed.</summary>
    public OnnxDevice Device { get; }

    /// <summary>Why it is computed on the CPU although another device was asked for; null if there is nothing to tell.</summary>
    public string? FallbackReason { get; }

    /// <summary>Images at a time.</summary>
    public int BatchSize { get; }

    /// <summary>Name of the output that is given.</summary>
    public string OutputName => _output.Name;

    /// <summary>Numbers that are given for an image.</summary>
    public int OutputLength => _output.Length;

    /// <summary>Opens a file that <see cref="OnnxExport"/> wrote.</summary>
    /// <param name="options">How to run it; null takes every option's default.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names every one that is.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is not an ONNX file, it is damaged, or it is not from Smae.</exception>
    /// <exception cref="InvalidOperationException">The device cannot be used, and the options do not say to go on with the CPU.</exception>
    public static OnnxImageModel Load(string path, OnnxScoringOptions? options = null)
    {
        options ??= new OnnxScoringOptions();
        byte[] file = File.ReadAllBytes(OnnxModelInfo.Existing(path));
        OnnxModelInfo info = OnnxModelInfo.Parse(path, new CodedInputStream(file));
        options.Validate(info);
        var model = new OnnxImageModel(path, file, info, options);
        try { if (options.WarmUp) model.WarmUp(); }
        catch { model.Dispose(); throw; }
        return model;
    }

    /// <summary>Scores images.</summary>
    /// <param name="images">Their raw pixels, each <c>[height, width, channels]</c>, whatever form the file takes.</param>
    /// <param name="count">How many; any number.</param>
    /// <param name="outputs">Takes the output one image after the other, <c>[count, OutputLength]</c>.</param>
    /// <exception cref="ArgumentException">A span is not of the length that <paramref name="count"/> asks for.</exception>
    /// <exception cref="InvalidOperationException">The file is an autoencoder's: it wants masks.</exception>
    public void Run(ReadOnlySpan<byte> images, int count, Span<float> outputs)
    {
        if (Info.MaskName is not null) throw new InvalidOperationException($"{_path} is an autoencoder: give a mask for each image.");
        Score(images, [], count, outputs);
    }

    /// <summary>Reconstructs images with an autoencoder.</summary>
    /// <param name="masks">Not 0 where a patch is hidden, <c>[count, patches]</c>, patches row by row; each image may hide any number.</param>
    /// <exception cref="InvalidOperationException">The file is not an autoencoder's: it takes no masks.</exception>
    /// <inheritdoc cref="Run(ReadOnlySpan{byte}, int, Span{float})"/>
    public void Run(ReadOnlySpan<byte> images, ReadOnlySpan<byte> masks, int count, Span<float> outputs)
    {
        if (Info.MaskName is null) throw new InvalidOperationException($"{_path} is no autoencoder: it takes no masks.");
        long expected = (long)count * Info.PatchCount;
        if (masks.Length != expected)
            throw new ArgumentException($"Masks of {count} x {Info.PatchCount} patches are {expected} bytes, not {masks.Length}.", nameof(masks));
        Score(images, masks, count, outputs);
    }

    /// <summary>Scores all images of a store.</summary>
    /// <param name="outputs">Takes the output one image after the other, <c>[images, OutputLength]</c>.</param>
    /// <exception cref="ArgumentException">The images are of another size, or <paramref name="outputs"/> is not of their length.</exception>
    /// <exception cref="InvalidOperationException">The file is an autoencoder's: it wants masks.</exception>
    public void Run(ImageStore images, Span<float> outputs)
    {
        ArgumentNullException.ThrowIfNull(images);
        ImagePreprocessing p = Info.Preprocessing;
        if ((images.Height, images.Width, images.Channels) != (p.Height, p.Width, p.Channels))
            throw new ArgumentException(
                $"The images are {images.Height}x{images.Width} with {images.Channels} channels: "
                + $"{_path} takes {p.Height}x{p.Width} with {p.Channels}.", nameof(images));
        CheckOutputs(images.Count, outputs);
        var batch = new byte[Math.Min(BatchSize, images.Count) * p.ByteCount];
        for (long from = 0; from < images.Count; from += BatchSize)
        {
            int count = (int)Math.Min(BatchSize, images.Count - from);
            for (int i = 0; i < count; i++) images[from + i].CopyTo(batch.AsSpan(i * p.ByteCount));
            Run(batch.AsSpan(0, count * p.ByteCount), count, outputs.Slice((int)from * OutputLength, count * OutputLength));
        }
    }

    /// <summary>Frees session and buffers, once the calls that are under way have ended.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _file = null;
            _batches.Dispose();
            _singles?.Dispose();
        }
    }

    private void Score(ReadOnlySpan<byte> images, ReadOnlySpan<byte> masks, int count, Span<float> outputs)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ImagePreprocessing p = Info.Preprocessing;
        long expected = (long)count * p.ByteCount;
        if (images.Length != expected)
        {
            string each = count > 0 && images.Length % count == 0 ? $": {images.Length / count} an image instead of {p.ByteCount}" : "";
            throw new ArgumentException(
                $"{_path} takes images of {p.Height}x{p.Width} with {p.Channels} channels: "
                + $"{count} of them are {expected} bytes, not {images.Length}{each}.", nameof(images));
        }
        CheckOutputs(count, outputs);
        if (count >= _threads && _threads > 1)
        {
            ScoreOnAllCores(images, masks, count, outputs);
            return;
        }
        LanePool pool = PoolForFew();
        ScoringLane lane = pool.Rent();
        try { Score(lane, images, masks, count, outputs); }
        finally { pool.Return(lane); }
    }

    private unsafe void ScoreOnAllCores(ReadOnlySpan<byte> images, ReadOnlySpan<byte> masks, int count, Span<float> outputs)
    {
        int patches = masks.IsEmpty ? 0 : Info.PatchCount, bytes = Info.Preprocessing.ByteCount;
        List<ScoringLane> lanes = [];
        try
        {
            for (int i = 0; i < _threads; i++) lanes.Add(_batches.Rent());   // all at first: once a call is under way it ends well
            fixed (byte* pixels = images, hidden = masks)
            fixed (float* results = outputs)
            {
                nint firstPixel = (nint)pixels, firstHidden = (nint)hidden, firstResult = (nint)results;   // what a lambda may capture
                Parallel.For(0, _threads, i =>
                {
                    long from = (long)count * i / _threads;
                    int some = (int)((long)count * (i + 1) / _threads - from);
                    Score(
                        lanes[i], new((byte*)firstPixel + from * bytes, some * bytes), new((byte*)firstHidden + from * patches, some * patches), some,
                        new((float*)firstResult + from * OutputLength, some * OutputLength));
                });
            }
        }
        catch (AggregateException e) { ExceptionDispatchInfo.Throw(e.InnerException!); }
        finally { lanes.ForEach(_batches.Return); }
    }

    private void Score(ScoringLane lane, ReadOnlySpan<byte> images, ReadOnlySpan<byte> masks, int count, Span<float> outputs)
    {
        int bytes = Info.Preprocessing.ByteCount;
        for (int from = 0; from < count; from += _atOnce)
        {
            int some = Math.Min(_atOnce, count - from);
            ReadOnlySpan<byte> hidden = masks.IsEmpty ? masks : masks.Slice(from * Info.PatchCount, some * Info.PatchCount);
            lane.Score(images.Slice(from * bytes, some * bytes), hidden, some, outputs.Slice(from * OutputLength, some * OutputLength));
        }
    }

    /// <summary>Where images are scored that are not enough for all cores.</summary>
    private LanePool PoolForFew()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_singles is not null) return _singles;
            if (!_scoredFew)
            {
                _scoredFew = true;
                return _batches;
            }
            int threads = Math.Min(_threads, Environment.ProcessorCount);   // they wait for each other: more than cores are in each other's way
            _singles = new LanePool(RuntimeSession.OpenOnCpu(_path, _file!, threads), Info, _output);
            _file = null;
            return _singles;
        }
    }

    private void CheckOutputs(long count, Span<float> outputs)
    {
        if (outputs.Length != count * OutputLength)
            throw new ArgumentException(
                $"'{OutputName}' of {count} images, {OutputLength} numbers each, is {count * OutputLength} numbers, not {outputs.Length}.",
                nameof(outputs));
    }

    private void WarmUp()
    {
        foreach (int count in (int[])[1, 1, BatchSize])
        {
            var images = new byte[count * Info.Preprocessing.ByteCount];
            Score(images, Info.MaskName is null ? [] : new byte[count * Info.PatchCount], count, new float[count * OutputLength]);
        }
    }
}
