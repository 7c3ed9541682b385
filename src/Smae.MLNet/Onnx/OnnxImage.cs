using Smae.Export;

namespace Smae.MLNet;

/// <summary>Makes transformers that run an ONNX file of Smae on a column of images: what these estimators have in common.</summary>
/// <remarks>
/// <c>Fit</c> opens the file and trains nothing: a <see cref="FileNotFoundException"/> says that the file is gone, an <see cref="InvalidDataException"/> that
/// it has changed since it was given to the estimator or that ONNX Runtime does not take it, an <see cref="InvalidOperationException"/> that the device cannot
/// be used and nothing says to go on with the CPU. The transformer owns ONNX Runtime's session: dispose it to free the session.
/// </remarks>
/// <typeparam name="TTransformer">The kind of transformer.</typeparam>
public abstract class OnnxImageEstimator<TTransformer> : ImageEstimator<TTransformer> where TTransformer : OnnxImageTransformer
{
    private readonly OnnxFile _file;
    private readonly BrokenImagePolicy _brokenImages;

    private protected OnnxImageEstimator(IHostEnvironment environment, string inputColumnName, OnnxFile file, BrokenImagePolicy brokenImages)
        : base(environment, inputColumnName, file.Info.Preprocessing) => (_file, _brokenImages) = (file, brokenImages);

    /// <summary>What the file tells about itself.</summary>
    public OnnxModelInfo Info => _file.Info;

    /// <summary>Opens the file, ready to score.</summary>
    /// <param name="kind">What the column of images holds.</param>
    /// <param name="saved">The output of the file that a saved model starts from: an embedding, or the logits of classes.</param>
    /// <param name="consequence">What a broken image leads to, for warnings.</param>
    private protected ImageScoring Open(ImageColumnKind kind, OnnxOutputInfo saved, string consequence)
    {
        using var channel = Host.Start("Opening");
        var model = new OnnxFileModel(_file.Open(Environment, channel), _file, saved);
        return new ImageScoring(Host, InputColumnName, kind, Decoders, model, Outputs, _brokenImages, consequence, _file.BatchSize);
    }
}

/// <summary>Runs an ONNX file of Smae on a column of images: what these transformers have in common.</summary>
/// <remarks>
/// <para>A saved model holds a copy of the ONNX file, which must still be there and unchanged when it is saved.</para>
/// <inheritdoc/>
/// </remarks>
public abstract class OnnxImageTransformer : ImageTransformer
{
    private readonly OnnxFileModel _model;

    private protected OnnxImageTransformer(ImageScoring scoring) : base(scoring) => _model = (OnnxFileModel)scoring.Model;

    /// <summary>What the file tells about itself.</summary>
    public OnnxModelInfo Info => _model.Session.Info;

    /// <summary>Where it is computed.</summary>
    public OnnxDevice Device => _model.Session.Device;
}

/// <summary>An ONNX file at work.</summary>
/// <param name="saved">The output whose numbers a saved model starts from.</param>
internal sealed class OnnxFileModel(OnnxImageModel session, OnnxFile file, OnnxOutputInfo saved)
    : ImageModel(session.Info.Preprocessing, session.OutputLength)
{
    public OnnxImageModel Session => session;

    public override SavedOutput WriteOnnx(string path)
    {
        file.Copy(path);
        return new SavedOutput(saved);
    }

    public override void Dispose() => session.Dispose();

    protected override void Score(ReadOnlySpan<byte> images, int count, Span<float> outputs) => session.Run(images, count, outputs);
}

/// <summary>An ONNX file of Smae and how it is to be run: checked where it is named, opened where a transformer is made.</summary>
internal sealed class OnnxFile
{
    private readonly OnnxScoringOptions _options;
    private readonly bool _deviceOfContext;
    private readonly (long Length, DateTime Written) _stamp;

    /// <summary>Reads what the file tells about itself.</summary>
    /// <param name="kind">What it must hold.</param>
    /// <param name="options">How it is run; null takes every option's default, on the device that the <see cref="MLContext"/> names.</param>
    /// <param name="batchSize">Images at a time where options are null.</param>
    /// <exception cref="ArgumentException">The file holds another kind of model, or an option is out of range.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is not an ONNX file, it is damaged, or it is not from Smae.</exception>
    public OnnxFile(string path, OnnxModelKind kind, OnnxScoringOptions? options, int batchSize = ImageScoring.DefaultBatchSize)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path, "modelFile");
        (Path, _options, _deviceOfContext) = (System.IO.Path.GetFullPath(path), options ?? new OnnxScoringOptions { BatchSize = batchSize }, options is null);
        _stamp = Stamp();
        Info = OnnxModelInfo.Read(Path);
        if (Info.Kind != kind) throw new ArgumentException($"{Path} holds a model of the kind {Info.Kind}: expected {kind}. {Advice(Info.Kind)}", "modelFile");
        _options.Validate(Info);
    }

    public string Path { get; }

    public OnnxModelInfo Info { get; }

    public int BatchSize => _options.BatchSize;

    /// <summary>The output that is read.</summary>
    public OnnxOutputInfo Output => _options.OutputName is { } name ? Info.Outputs.First(output => output.Name == name) : Info.Outputs[0];

    /// <summary>Opens the file. A device that is not there is replaced by the CPU with a warning, where that is allowed.</summary>
    /// <exception cref="InvalidDataException">ONNX Runtime does not take the file, or it has changed.</exception>
    /// <exception cref="InvalidOperationException">The device cannot be used, and nothing says to go on with the CPU.</exception>
    public OnnxImageModel Open(IHostEnvironment environment, IChannel channel)
    {
        CheckUnchanged();
        var options = _options;
        if (_deviceOfContext && CatalogEnvironment.GpuSettings(environment) is (int id, var fallback))
            options = options with { Device = OnnxDevice.Cuda, DeviceId = id, FallbackToCpu = fallback };
        var model = OnnxImageModel.Load(Path, options);
        if (model.FallbackReason is { } reason) channel.Warning(MessageSensitivity.None, $"{reason} FallbackToCpu is set: going on with the CPU.");
        return model;
    }

    public void Copy(string path)
    {
        CheckUnchanged();
        File.Copy(Path, path);
    }

    private void CheckUnchanged()
    {
        var stamp = Stamp();
        if (stamp.Length < 0) throw new FileNotFoundException($"{Path} is gone: it was there when it was given to the estimator, and is needed again.", Path);
        if (stamp != _stamp) throw new InvalidDataException($"{Path} has changed since it was given to the estimator: make a new estimator for the new file.");
    }

    private (long Length, DateTime Written) Stamp()
    {
        var file = new FileInfo(Path);
        return file.Exists ? (file.Length, file.LastWriteTimeUtc) : (-1, default);
    }

    private static string Advice(OnnxModelKind kind) => kind switch
    {
        OnnxModelKind.Encoder => "OnnxEmbedding takes it.",
        OnnxModelKind.Classifier => "OnnxClassification takes it.",
        _ => "Export the autoencoder's encoder by itself.",
    };
}
