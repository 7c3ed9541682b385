namespace Smae.Export;

/// <summary>Which operators an ONNX file is made of.</summary>
public enum OnnxFlavor
{
    /// <summary>
    /// The fastest that ONNX Runtime has, its own fused operators (domain <c>com.microsoft</c>) included. Only ONNX Runtime reads such a file.
    /// </summary>
    Fastest,

    /// <summary>Standard operators of ONNX opset 17 only: for any runtime.</summary>
    Portable,
}
