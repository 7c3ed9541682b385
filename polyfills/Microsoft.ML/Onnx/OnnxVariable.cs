using Microsoft.ML.Data;

namespace Microsoft.ML.Transforms.Onnx;

/// <summary>An input or output of a model.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Shape">Its shape for ONNX Runtime; what is not known is negative.</param>
/// <param name="Type">The type of its column.</param>
internal sealed record OnnxVariable(string Name, int[] Shape, DataViewType Type);
