using Microsoft.ML.OnnxRuntime;

namespace Smae.Export;

/// <summary>Makes sessions of ONNX Runtime.</summary>
internal static class RuntimeSession
{
    /// <summary>Settings to start from.</summary>
    /// <exception cref="InvalidOperationException">The native library is missing.</exception>
    public static SessionOptions Options()
    {
        try
        {
            return new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException { InnerException: DllNotFoundException })
        {
            throw new InvalidOperationException(
                "ONNX Runtime's native library is missing: the application needs the package Microsoft.ML.OnnxRuntime, or, for CUDA, "
                + "Microsoft.ML.OnnxRuntime.Gpu.", e);
        }
    }

    /// <summary>Opens a file on a device.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">Which device.</param>
    /// <param name="threads">Threads that share the work of one run on a CPU.</param>
    /// <returns>The session, and why it is not on the device asked for; null if it is.</returns>
    /// <exception cref="InvalidOperationException">The device cannot be used, and options do not say to go on without.</exception>
    /// <exception cref="InvalidDataException">ONNX Runtime does not take the file.</exception>
    public static (InferenceSession Session, string? FallbackReason) Open(string path, OnnxScoringOptions options, int threads)
    {
        if (options.Device == OnnxDevice.Cpu) return (OpenOnCpu(path, threads), null);
        string reason;
        try
        {
            using SessionOptions settings = Options();
            reason = Missing(options.Device) ?? "";
            if (reason.Length == 0)
            {
                if (options.Device == OnnxDevice.TensorRT) settings.AppendExecutionProvider_Tensorrt(options.DeviceId);
                settings.AppendExecutionProvider_CUDA(options.DeviceId);
                return (new InferenceSession(path, settings), null);
            }
        }
        catch (Exception e) when (e is OnnxRuntimeException or EntryPointNotFoundException)
        {
            reason = e.Message;
        }
        reason = $"{options.Device} (device {options.DeviceId}) cannot be used: {reason}";
        if (!options.FallbackToCpu) throw new InvalidOperationException($"{reason} Set FallbackToCpu to go on with the CPU.");
        return (OpenOnCpu(path, threads), reason);
    }

    /// <summary>Opens a file on the CPU.</summary>
    /// <exception cref="InvalidDataException">ONNX Runtime does not take the file.</exception>
    public static InferenceSession OpenOnCpu(string path, int threads)
    {
        using SessionOptions settings = Options();
        settings.IntraOpNumThreads = threads;
        try
        {
            return new InferenceSession(path, settings);
        }
        catch (OnnxRuntimeException e)
        {
            throw new InvalidDataException($"ONNX Runtime does not take {path}: {e.Message}", e);
        }
    }

    /// <summary>Why this build of ONNX Runtime has no such device; null if it has.</summary>
    private static string? Missing(OnnxDevice device)
    {
        string[] providers = OrtEnv.Instance().GetAvailableProviders();
        string wanted = device == OnnxDevice.Cuda ? "CUDAExecutionProvider" : "TensorrtExecutionProvider";
        return providers.Contains(wanted)
            ? null
            : $"this build of ONNX Runtime has no {wanted}, only {string.Join(", ", providers)}. "
                + "The package Microsoft.ML.OnnxRuntime.Gpu has, Microsoft.ML.OnnxRuntime has not.";
    }
}
