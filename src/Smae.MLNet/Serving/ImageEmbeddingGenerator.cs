using System.Buffers;
using Microsoft.Extensions.AI;
using Smae.Export;

namespace Smae.MLNet;

/// <summary>
/// An encoder as .NET's own embedding generator, the interface by which vector stores and pipelines of Microsoft.Extensions.AI take text embedders: the
/// content of image files in, embeddings out, the same numbers as <c>mlContext.Transforms.MaeEmbedding</c> and <c>OnnxEmbedding</c> give.
/// </summary>
/// <remarks>
/// <para>
/// Thread-safe, made for concurrent calls: each call decodes its own images, on all cores, and images that come while a batch is being computed are
/// computed together in the next one, up to <see cref="ImageEmbeddingOptions.BatchSize"/>. A call that is cancelled or fails disturbs no other.
/// </para>
/// <para>
/// A <see cref="DataContent"/> holds the content of a JPEG, PNG, BMP, GIF or WebP file, as bytes or as a data URI; <c>DataContent.LoadFromAsync</c> reads a
/// file. Its <see cref="DataContent.Name"/>, where it has one, is in the messages of errors.
/// </para>
/// </remarks>
public sealed class ImageEmbeddingGenerator : IEmbeddingGenerator<DataContent, Embedding<float>>
{
    private const string ProviderName = "smae";

    private readonly EmbeddingGeneratorMetadata _metadata;
    private readonly ImageDecoders _decoders;
    private readonly BatchQueue _queue;
    private readonly int _batchSize;
    private readonly IDisposable _model;
    private readonly bool _ownsModel;
    private volatile bool _disposed;

    /// <summary>Puts an encoder behind the interface.</summary>
    /// <param name="options">
    /// Null takes every option's default. <see cref="ImageEmbeddingOptions.GpuDeviceId"/> is not looked at: the encoder has its place.
    /// </param>
    /// <param name="ownsEncoder">Whether the encoder is disposed together with this object.</param>
    /// <exception cref="ArgumentException">
    /// An option is out of range, or the encoder takes images of another number of channels than 1, 3 or 4.
    /// </exception>
    public ImageEmbeddingGenerator(ImageEncoder encoder, ImageEmbeddingOptions? options = null, bool ownsEncoder = false)
        : this(encoder ?? throw new ArgumentNullException(nameof(encoder)), encoder.Preprocessing, encoder.EmbedDim, encoder.Embed, options, ownsEncoder)
    {
    }

    /// <summary>Puts an encoder's ONNX file behind the interface. One that gives tokens gives all tokens of an image one after the other.</summary>
    /// <param name="options">
    /// Null takes every option's default. <see cref="ImageEmbeddingOptions.GpuDeviceId"/> is not looked at: the file has its place.
    /// </param>
    /// <param name="ownsModel">Whether the model is disposed together with this object.</param>
    /// <exception cref="ArgumentException">
    /// The file holds no encoder, an option is out of range, or it takes images of another number of channels than 1, 3 or 4.
    /// </exception>
    public ImageEmbeddingGenerator(OnnxImageModel model, ImageEmbeddingOptions? options = null, bool ownsModel = false)
        : this(Encoder(model), model.Info.Preprocessing, model.OutputLength, model.Run, options, ownsModel)
    {
    }

    internal ImageEmbeddingGenerator(
        IDisposable model, ImagePreprocessing preprocessing, int dimensions, EmbedBatch embed, ImageEmbeddingOptions? options, bool ownsModel)
    {
        options ??= new ImageEmbeddingOptions();
        options.Validate();
        (_model, _ownsModel, _batchSize) = (model, ownsModel, options.BatchSize);
        _decoders = new ImageDecoders(preprocessing);
        _queue = new BatchQueue(embed, preprocessing.ByteCount, dimensions, options.BatchSize);
        _metadata = new EmbeddingGeneratorMetadata(ProviderName, null, options.ModelId, dimensions);
    }

    /// <summary>Batches computed so far.</summary>
    public long BatchCount => _queue.BatchCount;

    /// <summary>Images computed so far: divided by <see cref="BatchCount"/>, how well concurrent calls share batches.</summary>
    public long ImageCount => _queue.ImageCount;

    /// <summary>Images that wait to be computed.</summary>
    internal int WaitingCount => _queue.WaitingCount;

    /// <summary>Loads an encoder. It is disposed together with the generator.</summary>
    /// <param name="modelFile">Weights or a folder as <see cref="ImageEncoder.Load"/> takes them, or, where the name ends in <c>.onnx</c>, an exported encoder.</param>
    /// <param name="options">Null takes every option's default, on the CPU.</param>
    /// <exception cref="ArgumentException">The name is blank, an option is out of range, or the file holds no encoder.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is damaged or not from Smae; the message says where.</exception>
    /// <exception cref="InvalidOperationException">The GPU asked for cannot be used.</exception>
    public static ImageEmbeddingGenerator Load(string modelFile, ImageEmbeddingOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(modelFile);
        options ??= new ImageEmbeddingOptions();
        options.Validate();
        options = options with { ModelId = options.ModelId ?? Path.GetFileNameWithoutExtension(Path.TrimEndingDirectorySeparator(modelFile)) };
        return string.Equals(Path.GetExtension(modelFile), ".onnx", StringComparison.OrdinalIgnoreCase)
            ? LoadOnnx(modelFile, options)
            : LoadEncoder(modelFile, options);
    }

    /// <summary>Embeds images.</summary>
    /// <param name="values">The images, read at once.</param>
    /// <param name="options">
    /// One model gives one kind of embedding: <c>Dimensions</c> and <c>ModelId</c>, where they are set, must be this model's, and nothing else is looked at.
    /// </param>
    /// <param name="cancellationToken">Ends the wait at once. What is being computed is computed to its end, for the other calls in the batch.</param>
    /// <returns>An embedding for each image, in their order.</returns>
    /// <exception cref="ArgumentException">
    /// A value is null or its media type says that it is no image, or the options ask for another model's embeddings.
    /// </exception>
    /// <exception cref="InvalidDataException">Images cannot be decoded: the message names their indices in <paramref name="values"/> and why.</exception>
    /// <exception cref="ObjectDisposedException">The generator has been disposed.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<DataContent> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        ObjectDisposedException.ThrowIf(_disposed, this);
        CheckOptions(options);
        DataContent[] images = [.. values];
        for (int i = 0; i < images.Length; i++)
        {
            if (images[i] is null) throw new ArgumentException($"{Name(images, i)} is null.", nameof(values));
            // What nobody knew the type of may well be an image; what is declared to be something else is a mix-up.
            if (!images[i].HasTopLevelMediaType("image") && images[i].MediaType != "application/octet-stream")
                throw new ArgumentException($"{Name(images, i)} is of the media type {images[i].MediaType}: expected an image.", nameof(values));
        }
        // On the thread pool from here on: the caller's thread, perhaps that of a user interface, decodes nothing.
        return Task.Run(() => Generate(images, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Gives what stands behind the interface: <see cref="EmbeddingGeneratorMetadata"/> (provider "smae", the model's name, the length of its embeddings),
    /// the <see cref="ImageEncoder"/> or <see cref="OnnxImageModel"/>, or this object; null for anything else, or with a key.
    /// </summary>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null) return null;
        if (serviceType == typeof(EmbeddingGeneratorMetadata)) return _metadata;
        if (serviceType.IsInstanceOfType(this)) return this;
        return serviceType.IsInstanceOfType(_model) ? _model : null;
    }

    /// <summary>
    /// Ends the calls that wait, with an <see cref="ObjectDisposedException"/>, lets the batch that is being computed end, and frees the model if it is
    /// owned.
    /// </summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _queue.Close(new ObjectDisposedException(nameof(ImageEmbeddingGenerator)));
        if (_ownsModel) _model.Dispose();   // which waits for who is using it
    }

    private static ImageEmbeddingGenerator LoadOnnx(string file, ImageEmbeddingOptions options)
    {
        var scoring = new OnnxScoringOptions { BatchSize = options.BatchSize };
        if (options.GpuDeviceId is { } id) scoring = scoring with { Device = OnnxDevice.Cuda, DeviceId = id };
        return OnnxImageModel.Load(file, scoring).OrDispose(model => new ImageEmbeddingGenerator(model, options, ownsModel: true));
    }

    private static ImageEmbeddingGenerator LoadEncoder(string file, ImageEmbeddingOptions options)
    {
        IHostEnvironment environment = new MLContext { GpuDeviceId = options.GpuDeviceId };
        using IChannel channel = environment.Start("Loading");
        return ImageEncoder.Load(file, CatalogEnvironment.Device(environment, channel))
            .OrDispose(encoder => new ImageEmbeddingGenerator(encoder, options, ownsEncoder: true));
    }

    private static OnnxImageModel Encoder(OnnxImageModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.Info.Kind == OnnxModelKind.Encoder
            ? model
            : throw new ArgumentException($"The file holds a model of the kind {model.Info.Kind}: expected {OnnxModelKind.Encoder}.", nameof(model));
    }

    private static string Name(DataContent[] images, int index) =>
        images[index]?.Name is { Length: > 0 } name ? $"values[{index}] ({name})" : $"values[{index}]";

    private void CheckOptions(EmbeddingGenerationOptions? options)
    {
        if (options?.Dimensions is { } dimensions && dimensions != _metadata.DefaultModelDimensions)
            throw new ArgumentException(
                $"Dimensions is {dimensions}: the model gives embeddings of {_metadata.DefaultModelDimensions} numbers.", nameof(options));
        if (options?.ModelId is { } id && _metadata.DefaultModelId is { } own && id != own)
            throw new ArgumentException($"ModelId is '{id}': this generator runs '{own}'.", nameof(options));
    }

    /// <summary>
    /// Decodes and queues the images of a call, no more than a batch ahead: memory does not grow with the call, and other calls get their turns.
    /// </summary>
    private async Task<GeneratedEmbeddings<Embedding<float>>> Generate(DataContent[] images, CancellationToken cancellation)
    {
        var embeddings = new GeneratedEmbeddings<Embedding<float>>(images.Length);
        Task<float[][]> pending = Task.FromResult<float[][]>([]);
        for (int from = 0; from < images.Length; from += _batchSize)
        {
            byte[][] pixels = Decode(images, from, Math.Min(_batchSize, images.Length - from), cancellation);
            Add(await pending.WaitAsync(cancellation).ConfigureAwait(false));
            pending = _queue.Run(pixels, cancellation);
        }
        Add(await pending.WaitAsync(cancellation).ConfigureAwait(false));
        return embeddings;

        void Add(float[][] vectors)
        {
            foreach (float[] vector in vectors)
                embeddings.Add(new Embedding<float>(vector) { CreatedAt = DateTimeOffset.UtcNow, ModelId = _metadata.DefaultModelId });
        }
    }

    private byte[][] Decode(DataContent[] images, int from, int count, CancellationToken cancellation)
    {
        // Read one by one: content of a data URI is decoded when it is first asked for, not thread-safely, and an image may be there twice.
        ReadOnlyMemory<byte>[] files = Array.ConvertAll(images[from..(from + count)], image => image.Data);
        var pixels = new byte[count][];
        var problems = new InvalidDataException?[count];
        var cores = new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount };
        if (count == 1) DecodeOne(0);
        else Parallel.For(0, count, cores, DecodeOne);

        InvalidDataException[] broken = [.. problems.OfType<InvalidDataException>()];
        return broken.Length switch
        {
            0 => pixels,
            1 => throw broken[0],
            _ => throw new InvalidDataException(string.Join(Environment.NewLine, broken.Select(problem => problem.Message)), broken[0]),
        };

        void DecodeOne(int i)
        {
            pixels[i] = ArrayPool<byte>.Shared.Rent(_decoders.Preprocessing.ByteCount);   // an array of 224 x 224 pixels is a large object
            ImageDecoder decoder = _decoders.Rent();
            problems[i] = decoder.DecodeBytes(files[i].Span, Name(images, from + i), pixels[i].AsSpan(0, _decoders.Preprocessing.ByteCount));
            _decoders.Return(decoder);
        }
    }
}

/// <summary>How images are embedded behind .NET's embedding interface.</summary>
public sealed record ImageEmbeddingOptions
{
    /// <summary>The most images that are computed together. Default 64.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>
    /// The model's name, in the metadata and with each embedding. Default null: the name of the file without its extension where the generator loads it, none
    /// elsewhere.
    /// </summary>
    public string? ModelId { get; init; }

    /// <summary>Number of the CUDA device that a loaded encoder runs on, from 0. Default null, the CPU.</summary>
    public int? GpuDeviceId { get; init; }

    internal void Validate()
    {
        if (BatchSize < 1) throw new ArgumentException($"BatchSize is {BatchSize}: expected at least 1.", "options");
    }
}
