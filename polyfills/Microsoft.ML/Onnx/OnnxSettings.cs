namespace Microsoft.ML.Transforms.Onnx;

/// <summary>How a model is to be run.</summary>
internal sealed record OnnxSettings
{
    public int? GpuDeviceId { get; init; }

    public bool FallbackToCpu { get; init; }

    /// <summary>Shapes in place of those in the model.</summary>
    public IDictionary<string, int[]> Shapes { get; init; } = new Dictionary<string, int[]>();

    /// <summary>Kept for what is saved; nothing here recurses.</summary>
    public int RecursionLimit { get; init; } = 100;

    public int? InterOpNumThreads { get; init; }

    public int? IntraOpNumThreads { get; init; }
}
