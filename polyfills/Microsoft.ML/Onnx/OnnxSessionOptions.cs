using Microsoft.ML.OnnxRuntime;

namespace Microsoft.ML.Transforms.Onnx;

/// <summary>What ONNX Runtime's sessions are made with.</summary>
public sealed class OnnxSessionOptions
{
    public OrtLoggingLevel LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING;

    /// <summary>Makes the options of a session, in place of all others here.</summary>
    public delegate SessionOptions CreateOnnxSessionOptions();

    public CreateOnnxSessionOptions CreateSessionOptions { get; set; }

    public bool EnableMemoryPattern { get; set; } = true;

    public string ProfileOutputPathPrefix { get; set; } = "onnxruntime_profile_";

    public bool EnableProfiling { get; set; }

    public string OptimizedModelFilePath { get; set; } = "";

    public bool EnableCpuMemArena { get; set; } = true;

    public bool PerSessionThreads { get; set; } = true;

    public int GlobalIntraOpNumThreads { get; set; }

    public int GlobalInterOpNumThreads { get; set; }

    public string LogId { get; set; } = "";

    public int LogVerbosityLevel { get; set; }

    public int IntraOpNumThreads { get; set; }

    public int InterOpNumThreads { get; set; }

    public GraphOptimizationLevel GraphOptimizationLevel { get; set; } = GraphOptimizationLevel.ORT_ENABLE_ALL;

    public ExecutionMode ExecutionMode { get; set; } = ExecutionMode.ORT_SEQUENTIAL;

    /// <summary>Sets everything here on the given options; thread counts that are given come first.</summary>
    internal SessionOptions ApplyTo(SessionOptions options, int? interOpNumThreads, int? intraOpNumThreads)
    {
        options.EnableMemoryPattern = EnableMemoryPattern;
        options.ProfileOutputPathPrefix = ProfileOutputPathPrefix;
        options.EnableProfiling = EnableProfiling;
        options.OptimizedModelFilePath = OptimizedModelFilePath;
        options.EnableCpuMemArena = EnableCpuMemArena;
        if (!PerSessionThreads)
            options.DisablePerSessionThreads();
        options.LogId = LogId;
        options.LogSeverityLevel = LogSeverityLevel;
        options.LogVerbosityLevel = LogVerbosityLevel;
        options.InterOpNumThreads = interOpNumThreads ?? InterOpNumThreads;
        options.IntraOpNumThreads = intraOpNumThreads ?? IntraOpNumThreads;
        options.GraphOptimizationLevel = GraphOptimizationLevel;
        options.ExecutionMode = ExecutionMode;
        return options;
    }
}
