using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Onnx;

/// <summary>Makes sessions of ONNX Runtime.</summary>
internal static class OnnxSession
{
    public static InferenceSession Create(IHostEnvironment env, string path, OnnxSettings settings)
    {
        OnnxSessionOptions common = (env is IHostEnvironmentInternal ? env.GetOnnxSessionOption() : null) ?? new OnnxSessionOptions();
        if (!common.PerSessionThreads && !OrtEnv.IsCreated)
            CreateEnvironment(common);
        if (common.CreateSessionOptions != null)
            return new InferenceSession(path, common.CreateSessionOptions());
        if (settings.GpuDeviceId is not { } device)
            return OnCpu(path, common, settings);
        try
        {
            SessionOptions options = SessionOptions.MakeSessionOptionWithCudaProvider(device);
            return new InferenceSession(path, common.ApplyTo(options, settings.InterOpNumThreads, settings.IntraOpNumThreads));
        }
        catch (Exception e) when (settings.FallbackToCpu && IsOfRuntime(e))
        {
            return OnCpu(path, common, settings);
        }
    }

    /// <summary>Whether ONNX Runtime refuses: builds without CUDA may lack the very entry point.</summary>
    public static bool IsOfRuntime(Exception e) => e is OnnxRuntimeException or EntryPointNotFoundException;

    private static InferenceSession OnCpu(string path, OnnxSessionOptions common, OnnxSettings settings) =>
        new(path, common.ApplyTo(new SessionOptions(), settings.InterOpNumThreads, settings.IntraOpNumThreads));

    private static void CreateEnvironment(OnnxSessionOptions common)
    {
        var options = new EnvironmentCreationOptions
        {
            threadOptions = new OrtThreadingOptions
            {
                GlobalInterOpNumThreads = common.GlobalInterOpNumThreads,
                GlobalIntraOpNumThreads = common.GlobalIntraOpNumThreads,
            },
        };
        OrtEnv.CreateInstanceWithOptions(ref options);
    }
}
