using System.ComponentModel.DataAnnotations;
using Smae.Training;

namespace Smae.Export;

/// <summary>How an ONNX file is run.</summary>
public sealed record OnnxScoringOptions
{
    /// <summary>Where it is computed. Default <see cref="OnnxDevice.Cpu"/>.</summary>
    public OnnxDevice Device { get; init; } = OnnxDevice.Cpu;

    /// <summary>Which GPU, counted from 0. Default 0.</summary>
    [Range(0, int.MaxValue)]
    public int DeviceId { get; init; }

    /// <summary>
    /// Whether to go on with the CPU when <see cref="Device"/> cannot be used: <see cref="OnnxImageModel.FallbackReason"/> tells why. Default false.
    /// </summary>
    public bool FallbackToCpu { get; init; }

    /// <summary>Images at a time; a call with more is cut into batches. Default 32.</summary>
    [Range(1, int.MaxValue)]
    public int BatchSize { get; init; } = 32;

    /// <summary>Threads that a call uses on the CPU. Default null: one for each processor.</summary>
    [Range(1, int.MaxValue)]
    public int? Threads { get; init; }

    /// <summary>Whether black images are run when the file is opened: the first real ones then take no longer. Default false.</summary>
    public bool WarmUp { get; init; }

    /// <summary>Which output is wanted; null is the main one, the first of <see cref="OnnxModelInfo.Outputs"/>. Default null.</summary>
    public string? OutputName { get; init; }

    /// <summary>Checks that a file can be run so.</summary>
    /// <param name="file">What the file tells about itself.</param>
    /// <exception cref="ArgumentException">An option is out of range, or the file has no such output; the message names every fault.</exception>
    public void Validate(OnnxModelInfo file)
    {
        ArgumentNullException.ThrowIfNull(file);
        IEnumerable<string> faults = Rules.Faults(this);
        if (OutputName is not null && file.Outputs.All(o => o.Name != OutputName))
            faults = faults.Append($"OutputName is '{OutputName}': the file has {string.Join(", ", file.Outputs.Select(o => $"'{o.Name}'"))}.");
        Rules.Check(faults, "options");
    }
}

/// <summary>Where ONNX Runtime computes.</summary>
public enum OnnxDevice
{
    /// <summary>On the processor.</summary>
    Cpu,

    /// <summary>On an NVIDIA GPU through CUDA. Needs the package Microsoft.ML.OnnxRuntime.Gpu, CUDA 12 and cuDNN 9.</summary>
    Cuda,

    /// <summary>The same through TensorRT 10, with CUDA for what it does not take. The first batch of every new size takes long.</summary>
    TensorRT,
}
