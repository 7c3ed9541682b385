using Microsoft.ML.OnnxRuntime;
using Smae.Training;

namespace Smae.Export;

/// <summary>
/// An ONNX file of Smae at work: raw pixels in, embeddings, probabilities or reconstructions out, a batch at a time. Thread-safe: calls run side by
/// side, each with buffers of its own, and share ONNX Runtime's threads. Buffers are kept and used again, as many as calls were ever under way at
/// once.
/// </summary>
public sealed class OnnxImageModel : IDisposable
{
    private readonly Lock _lock = new();
    private readonly InferenceSession _session;
    private readonly OnnxOutputInfo _output;
    private readonly PixelWriter _writer;
    private readonly string _path;
    private readonly Stack<ScoringLane> _idle = [];
    private int _busy;
    private bool _disposed;

    private OnnxImageModel(string path, OnnxModelInfo info, OnnxScoringOptions options)
    {
        (_path, Info, BatchSize) = (path, info, options.BatchSize);
        _output = options.OutputName is { } name ? info.Outputs.First(o => o.Name == name) : info.Outputs[0];
        _writer = new PixelWriter(info.Input, info.Preprocessing);
        (_session, FallbackReason) = RuntimeSession.Open(path, options);
        Device = FallbackReason is null ? options.Device : OnnxDevice.Cpu;
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
    /// <param name="path">The file.</param>
    /// <param name="options">How to run it; null takes every option's default.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names every one that is.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is not an ONNX file, it is damaged, or it is not from Smae.</exception>
    /// <exception cref="InvalidOperationException">The device cannot be used, and the options do not say to go on with the CPU.</exception>
    public static OnnxImageModel Load(string path, OnnxScoringOptions? options = null)
    {
        options ??= new OnnxScoringOptions();
        Guard.NoFaults(options.Faults(), nameof(options));
        OnnxModelInfo info = OnnxModelInfo.Read(path);
        Guard.NoFaults(options.Faults(path, info), nameof(options));
        var model = new OnnxImageModel(path, info, options);
        try
        {
            if (options.WarmUp) model.WarmUp();
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Scores images.</summary>
    /// <param name="images">
    /// Their raw pixels one after the other, each <c>[height, width, channels]</c> of the file's preprocessing; whatever form the file takes, it is
    /// made of them.
    /// </param>
    /// <param name="count">How many; any number.</param>
    /// <param name="outputs">Takes the output one image after the other, <c>[count, OutputLength]</c>.</param>
    /// <exception cref="ArgumentException">
    /// A span is not of the length that <paramref name="count"/> asks for: the images may be of another size.
    /// </exception>
    /// <exception cref="InvalidOperationException">The file is an autoencoder's: it wants masks.</exception>
    public void Run(ReadOnlySpan<byte> images, int count, Span<float> outputs)
    {
        if (Info.MaskName is not null) throw new InvalidOperationException($"{_path} is an autoencoder: give a mask for each image.");
        Score(images, [], count, outputs);
    }

    /// <summary>Reconstructs images with an autoencoder.</summary>
    /// <param name="images">Their raw pixels one after the other, each <c>[height, width, channels]</c> of the file's preprocessing.</param>
    /// <param name="masks">Not 0 where a patch is hidden, <c>[count, patches]</c>, patches row by row; each image may hide any number.</param>
    /// <param name="count">How many; any number.</param>
    /// <param name="outputs">Takes the output one image after the other, <c>[count, OutputLength]</c>.</param>
    /// <exception cref="ArgumentException">
    /// A span is not of the length that <paramref name="count"/> asks for: the images may be of another size.
    /// </exception>
    /// <exception cref="InvalidOperationException">The file is not an autoencoder's: it takes no masks.</exception>
    public void Run(ReadOnlySpan<byte> images, ReadOnlySpan<byte> masks, int count, Span<float> outputs)
    {
        if (Info.MaskName is null) throw new InvalidOperationException($"{_path} is no autoencoder: it takes no masks.");
        long expected = (long)count * Info.PatchCount;
        if (masks.Length != expected)
            throw new ArgumentException(
                $"Masks of {count} images of {Info.PatchCount} patches are {expected} bytes, not {masks.Length}.", nameof(masks));
        Score(images, masks, count, outputs);
    }

    /// <summary>Scores all images of a store.</summary>
    /// <param name="images">The images.</param>
    /// <param name="outputs">Takes the output one image after the other, <c>[images, OutputLength]</c>.</param>
    /// <exception cref="ArgumentException">
    /// The images are of another size than the file's, or <paramref name="outputs"/> is not of their length.
    /// </exception>
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
            if (_disposed) return;
            _disposed = true;
            while (_idle.TryPop(out ScoringLane? lane)) lane.Dispose();
            if (_busy == 0) _session.Dispose();
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
        ScoringLane lane = Rent();
        try
        {
            for (int from = 0; from < count; from += BatchSize)
            {
                int some = Math.Min(BatchSize, count - from);
                ReadOnlySpan<byte> hidden = masks.IsEmpty ? masks : masks.Slice(from * Info.PatchCount, some * Info.PatchCount);
                ReadOnlySpan<byte> pixels = images.Slice(from * p.ByteCount, some * p.ByteCount);
                lane.Score(pixels, hidden, some, outputs.Slice(from * OutputLength, some * OutputLength));
            }
        }
        finally
        {
            Return(lane);
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
        var images = new byte[BatchSize * Info.Preprocessing.ByteCount];
        Score(images, Info.MaskName is null ? [] : new byte[BatchSize * Info.PatchCount], BatchSize, new float[BatchSize * OutputLength]);
    }

    private ScoringLane Rent()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_idle.TryPop(out ScoringLane? lane)) lane = new ScoringLane(_session, Info, _output, _writer, BatchSize);
            _busy++;
            return lane;
        }
    }

    private void Return(ScoringLane lane)
    {
        lock (_lock)
        {
            _busy--;
            if (!_disposed)
            {
                _idle.Push(lane);
                return;
            }
            lane.Dispose();
            if (_busy == 0) _session.Dispose();
        }
    }
}
