namespace Smae.Export;

/// <summary>What ONNX Runtime makes of an exported model is not what TorchSharp makes of it. No file was written.</summary>
/// <param name="message">What differs and by how much.</param>
public sealed class OnnxExportException(string message) : Exception(message);
