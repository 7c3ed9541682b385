namespace Smae.Export;

/// <summary>How an ONNX file is run.</summary>
public sealed record OnnxScoringOptions
{
    /// <summary>Where it is computed. Default <see cref="OnnxDevice.Cpu"/>.</summary>
    public OnnxDevice Device { get; init; } = OnnxDevice.Cpu;

    /// <summary>Which GPU, counted from 0. Default 0.</summary>
    public int DeviceId { get; init; }

    /// <summary>
    /// What happens when <see cref="Device"/> cannot be used: true goes on with the CPU and tells why in <see cref="OnnxImageModel.FallbackReason"/>,
    /// false is an error. Default false.
    /// </summary>
    public bool FallbackToCpu { get; init; }

    /// <summary>
    /// Images at a time; a call with more is cut into batches. On a CPU each core takes some of a batch, a few at a time. Default 32.
    /// </summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>
    /// Threads that a call uses on the CPU: for a batch each has images of its own, for fewer images than threads they share the work on each. Default
    /// null: one for each processor.
    /// </summary>
    public int? Threads { get; init; }

    /// <summary>
    /// Whether a black image and a batch of them are run when the file is opened, so that the first real ones take no longer than others. Default
    /// false.
    /// </summary>
    public bool WarmUp { get; init; }

    /// <summary>Which output is wanted; null is the main one, the first of <see cref="OnnxModelInfo.Outputs"/>. Default null.</summary>
    public string? OutputName { get; init; }

    /// <summary>Checks that a file can be run so.</summary>
    /// <param name="file">What the file tells about itself.</param>
    /// <exception cref="ArgumentException">An option is out of range, or the file has no such output; the message names every fault.</exception>
    public void Validate(OnnxModelInfo file)
    {
        ArgumentNullException.ThrowIfNull(file);
        OnnxExportOptions.Refuse(Faults(file), "options");
    }

    private IEnumerable<string> Faults(OnnxModelInfo file)
    {
        if (OnnxExportOptions.Unknown(nameof(Device), Device) is { } unknown) yield return unknown;
        if (DeviceId < 0) yield return $"DeviceId is {DeviceId}: expected 0 or more.";
        if (BatchSize < 1) yield return $"BatchSize is {BatchSize}: expected at least 1.";
        if (Threads < 1) yield return $"Threads is {Threads}: expected at least 1, or null.";
        if (OutputName is not null && file.Outputs.All(o => o.Name != OutputName))
            yield return $"OutputName is '{OutputName}': the file has {string.Join(", ", file.Outputs.Select(o => $"'{o.Name}'"))}.";
    }
}

/// <summary>Where ONNX Runtime computes.</summary>
public enum OnnxDevice
{
    /// <summary>On the processor.</summary>
    Cpu,

    /// <summary>On an NVIDIA GPU through CUDA. Needs the package Microsoft.ML.OnnxRuntime.Gpu, CUDA 12 and cuDNN 9.</summary>
    Cuda,

    /// <summary>
    /// On an NVIDIA GPU through TensorRT, with CUDA for what TensorRT does not take. Needs TensorRT 10 besides; the first batch of every new size
    /// takes long.
    /// </summary>
    TensorRT,
}
