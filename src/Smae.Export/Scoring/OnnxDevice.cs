namespace Smae.Export;

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
