namespace Smae.Export;

/// <summary>An output of an ONNX file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Shape">Its dimensions after the batch.</param>
public sealed record OnnxOutputInfo(string Name, IReadOnlyList<int> Shape)
{
    /// <summary>Numbers for an image.</summary>
    public int Length => Shape.Aggregate(1, (a, b) => a * b);
}
