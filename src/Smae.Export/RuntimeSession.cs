using Microsoft.ML.OnnxRuntime;

namespace Smae.Export;

/// <summary>Opens ONNX files in ONNX Runtime, from bytes: a session that is opened later is of the same model, whatever became of the file.</summary>
internal static class RuntimeSession
{
    /// <summary>
    /// Settings of every session on the CPU. By default idle threads spin on for 20 ms and more, which a service pays for after every request.
    /// 0.2 ms is longer than the steps of a run that one thread does alone, so within a run, and between runs without a pause, threads stay awake.
    /// </summary>
    public static IReadOnlyDictionary<string, string> CpuSettings { get; } = new Dictionary<string, string>
    {
        ["session.intra_op.spin_duration_us"] = "200",
    };

    /// <summary>Opens a model on a device.</summary>
    /// <param name="name">What messages call it: its path.</param>
    /// <param name="threads">Threads that share the work of one run on a CPU; 0 is one for each core.</param>
    /// <returns>The session, and why it is not on the device asked for; null if it is.</returns>
    /// <exception cref="InvalidOperationException">The device cannot be used, and options do not say to go on without.</exception>
    /// <exception cref="InvalidDataException">ONNX Runtime does not take the model.</exception>
    public static (InferenceSession Session, string? FallbackReason) Open(string name, byte[] model, OnnxScoringOptions options, int threads)
    {
        if (options.Device == OnnxDevice.Cpu) return (OpenOnCpu(name, model, threads), null);
        string reason;
        try
        {
            using SessionOptions settings = NewOptions();
            reason = Missing(options.Device) ?? "";
            if (reason.Length == 0)
            {
                if (options.Device == OnnxDevice.TensorRT) settings.AppendExecutionProvider_Tensorrt(options.DeviceId);
                settings.AppendExecutionProvider_CUDA(options.DeviceId);
                return (new InferenceSession(model, settings), null);
            }
        }
        catch (Exception e) when (e is OnnxRuntimeException or EntryPointNotFoundException) { reason = e.Message; }
        reason = $"{options.Device} (device {options.DeviceId}) cannot be used: {reason}";
        if (!options.FallbackToCpu) throw new InvalidOperationException($"{reason} Set FallbackToCpu to go on with the CPU.");
        return (OpenOnCpu(name, model, threads), reason);
    }

    public static InferenceSession OpenOnCpu(string name, byte[] model, int threads)
    {
        using SessionOptions settings = NewOptions();
        settings.IntraOpNumThreads = threads;
        foreach ((string key, string value) in CpuSettings) settings.AddSessionConfigEntry(key, value);
        try { return new InferenceSession(model, settings); }
        catch (OnnxRuntimeException e) { throw new InvalidDataException($"ONNX Runtime does not take {name}: {e.Message}", e); }
    }

    private static SessionOptions NewOptions()
    {
        try { return new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR }; }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException { InnerException: DllNotFoundException })
        {
            throw new InvalidOperationException(
                "ONNX Runtime's native library is missing: the application needs the package Microsoft.ML.OnnxRuntime, or, for CUDA, "
                + "Microsoft.ML.OnnxRuntime.Gpu.", e);
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
