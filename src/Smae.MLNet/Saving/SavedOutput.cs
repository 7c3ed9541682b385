using Smae.Export;

namespace Smae.MLNet;

/// <summary>The numbers of a model that was written as ONNX.</summary>
/// <param name="Output">The output of the file.</param>
/// <param name="Map">What is done to it; null is nothing.</param>
internal sealed record SavedOutput(OnnxOutputInfo Output, LinearMap? Map = null);
