namespace Smae.Export;

/// <summary>What an export gave.</summary>
/// <param name="Path">The file.</param>
/// <param name="Info">What the file tells about itself.</param>
/// <param name="Proof">How well ONNX Runtime agrees with TorchSharp about it.</param>
/// <param name="FileBytes">The file's size.</param>
public sealed record OnnxExportResult(string Path, OnnxModelInfo Info, OnnxProof Proof, long FileBytes);
