using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using Microsoft.ML.Transforms.Onnx;

namespace Microsoft.ML;

/// <summary>Applies ONNX models. Without a device the context's settings hold, if it has one.</summary>
public static class OnnxCatalog
{
    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog, string modelFile, int? gpuDeviceId = null, bool fallbackToCpu = false) =>
        Create(catalog, [], [], modelFile, null, gpuDeviceId, fallbackToCpu);

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog, Stream modelBytes, int? gpuDeviceId = null, bool fallbackToCpu = false) =>
        Create(catalog, [], [], modelBytes, null, gpuDeviceId, fallbackToCpu);

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog, string modelFile,
        IDictionary<string, int[]> shapeDictionary, int? gpuDeviceId = null, bool fallbackToCpu = false) =>
        Create(catalog, [], [], modelFile, shapeDictionary, gpuDeviceId, fallbackToCpu);

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog, Stream modelBytes,
        IDictionary<string, int[]> shapeDictionary, int? gpuDeviceId = null, bool fallbackToCpu = false) =>
        Create(catalog, [], [], modelBytes, shapeDictionary, gpuDeviceId, fallbackToCpu);

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog, string outputColumnName, string inputColumnName, string modelFile,
        int? gpuDeviceId = null, bool fallbackToCpu = false) =>
        Create(catalog, [outputColumnName], [inputColumnName], modelFile, null, gpuDeviceId, fallbackToCpu);

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog, string outputColumnName, string inputColumnName, string modelFile,
        IDictionary<string, int[]> shapeDictionary, int? gpuDeviceId = null, bool fallbackToCpu = false) =>
        Create(catalog, [outputColumnName], [inputColumnName], modelFile, shapeDictionary, gpuDeviceId, fallbackToCpu);

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog, string[] outputColumnNames, string[] inputColumnNames, string modelFile,
        int? gpuDeviceId = null, bool fallbackToCpu = false) =>
        Create(catalog, outputColumnNames, inputColumnNames, modelFile, null, gpuDeviceId, fallbackToCpu);

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog, string[] outputColumnNames, string[] inputColumnNames, string modelFile,
        IDictionary<string, int[]> shapeDictionary, int? gpuDeviceId = null, bool fallbackToCpu = false) =>
        Create(catalog, outputColumnNames, inputColumnNames, modelFile, shapeDictionary, gpuDeviceId, fallbackToCpu);

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog, string[] outputColumnNames, string[] inputColumnNames, string modelFile,
        IDictionary<string, int[]> shapeDictionary, int? gpuDeviceId = null, bool fallbackToCpu = false, int recursionLimit = 100) =>
        Create(catalog, outputColumnNames, inputColumnNames, modelFile, shapeDictionary, gpuDeviceId, fallbackToCpu, recursionLimit);

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog, string outputColumnName, string inputColumnName, Stream modelBytes,
        int? gpuDeviceId = null, bool fallbackToCpu = false) =>
        Create(catalog, [outputColumnName], [inputColumnName], modelBytes, null, gpuDeviceId, fallbackToCpu);

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog, string outputColumnName, string inputColumnName, Stream modelBytes,
        IDictionary<string, int[]> shapeDictionary, int? gpuDeviceId = null, bool fallbackToCpu = false) =>
        Create(catalog, [outputColumnName], [inputColumnName], modelBytes, shapeDictionary, gpuDeviceId, fallbackToCpu);

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog, string[] outputColumnNames, string[] inputColumnNames, Stream modelBytes,
        int? gpuDeviceId = null, bool fallbackToCpu = false) =>
        Create(catalog, outputColumnNames, inputColumnNames, modelBytes, null, gpuDeviceId, fallbackToCpu);

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog, string[] outputColumnNames, string[] inputColumnNames, Stream modelBytes,
        IDictionary<string, int[]> shapeDictionary, int? gpuDeviceId = null, bool fallbackToCpu = false) =>
        Create(catalog, outputColumnNames, inputColumnNames, modelBytes, shapeDictionary, gpuDeviceId, fallbackToCpu);

    public static OnnxScoringEstimator ApplyOnnxModel(
        this TransformsCatalog catalog, string[] outputColumnNames, string[] inputColumnNames, Stream modelBytes,
        IDictionary<string, int[]> shapeDictionary, int? gpuDeviceId = null, bool fallbackToCpu = false, int recursionLimit = 100) =>
        Create(catalog, outputColumnNames, inputColumnNames, modelBytes, shapeDictionary, gpuDeviceId, fallbackToCpu, recursionLimit);

    public static OnnxScoringEstimator ApplyOnnxModel(this TransformsCatalog catalog, OnnxOptions options)
    {
        IHostEnvironment env = CatalogUtils.GetEnvironment(catalog);
        OnnxSettings settings = Settings(env, options.ShapeDictionary, options.GpuDeviceId, options.FallbackToCpu) with
        {
            RecursionLimit = options.RecursionLimit,
            InterOpNumThreads = options.InterOpNumThreads,
            IntraOpNumThreads = options.IntraOpNumThreads,
        };
        return new OnnxScoringEstimator(
            env, OnnxTransformer.FromFile(env, options.OutputColumns, options.InputColumns, options.ModelFile, settings));
    }

    private static OnnxScoringEstimator Create(
        TransformsCatalog catalog, string[] outputs, string[] inputs, string modelFile, IDictionary<string, int[]> shapes,
        int? gpuDeviceId, bool fallbackToCpu, int recursionLimit = 100)
    {
        IHostEnvironment env = CatalogUtils.GetEnvironment(catalog);
        OnnxSettings settings = Settings(env, shapes, gpuDeviceId, fallbackToCpu) with { RecursionLimit = recursionLimit };
        return new OnnxScoringEstimator(env, OnnxTransformer.FromFile(env, outputs, inputs, modelFile, settings));
    }

    private static OnnxScoringEstimator Create(
        TransformsCatalog catalog, string[] outputs, string[] inputs, Stream model, IDictionary<string, int[]> shapes,
        int? gpuDeviceId, bool fallbackToCpu, int recursionLimit = 100)
    {
        IHostEnvironment env = CatalogUtils.GetEnvironment(catalog);
        OnnxSettings settings = Settings(env, shapes, gpuDeviceId, fallbackToCpu) with { RecursionLimit = recursionLimit };
        return new OnnxScoringEstimator(env, OnnxTransformer.FromStream(env, outputs, inputs, model, settings));
    }

    private static OnnxSettings Settings(IHostEnvironment env, IDictionary<string, int[]> shapes, int? gpuDeviceId, bool fallbackToCpu)
    {
        if (gpuDeviceId == null && env is IHostEnvironmentInternal { GpuDeviceId: not null } context)
            (gpuDeviceId, fallbackToCpu) = (context.GpuDeviceId, context.FallbackToCpu);
        var settings = new OnnxSettings { GpuDeviceId = gpuDeviceId, FallbackToCpu = fallbackToCpu };
        return shapes == null ? settings : settings with { Shapes = shapes };
    }
}
