using Microsoft.ML;
using Microsoft.ML.Runtime;
using Smae.Export;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>An ONNX file of Smae and how it is to be run: checked where it is named, opened where a transformer is made.</summary>
internal sealed class OnnxFile
{
    private readonly OnnxScoringOptions _options;
    private readonly bool _deviceOfContext;
    private readonly (long Length, DateTime Written) _stamp;

    /// <summary>Reads what the file tells about itself.</summary>
    /// <param name="path">The file.</param>
    /// <param name="kind">What it must hold.</param>
    /// <param name="options">How it is run.</param>
    /// <param name="deviceOfContext">Whether the <see cref="MLContext"/> says where it is run, and not the options.</param>
    /// <exception cref="ArgumentException">The file holds another kind of model, or an option is out of range.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is not an ONNX file, it is damaged, or it is not from Smae.</exception>
    public OnnxFile(string path, OnnxModelKind kind, OnnxScoringOptions options, bool deviceOfContext)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path, "modelFile");
        (Path, _options, _deviceOfContext) = (System.IO.Path.GetFullPath(path), options, deviceOfContext);
        _stamp = Stamp();
        Info = OnnxModelInfo.Read(Path);
        if (Info.Kind != kind)
            throw new ArgumentException($"{Path} holds a model of the kind {Info.Kind}: expected {kind}. {Advice(Info.Kind)}", "modelFile");
        options.Validate(Info);
    }

    /// <summary>The full path.</summary>
    public string Path { get; }

    /// <summary>What the file tells about itself.</summary>
    public OnnxModelInfo Info { get; }

    /// <summary>Images at a time.</summary>
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
        if (model.FallbackReason is { } reason)
            channel.Warning(MessageSensitivity.None, $"{reason} FallbackToCpu is set: going on with the CPU.");
        return model;
    }

    /// <summary>Copies the file.</summary>
    /// <exception cref="FileNotFoundException">It is gone.</exception>
    /// <exception cref="InvalidDataException">It has changed.</exception>
    public void Copy(string path)
    {
        CheckUnchanged();
        File.Copy(Path, path);
    }

    private void CheckUnchanged()
    {
        var stamp = Stamp();
        if (stamp.Length < 0)
            throw new FileNotFoundException($"{Path} is gone: it was there when it was given to the estimator, and is needed again.", Path);
        if (stamp != _stamp)
            throw new InvalidDataException($"{Path} has changed since it was given to the estimator: make a new estimator for the new file.");
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
