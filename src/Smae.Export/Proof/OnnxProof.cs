using System.Globalization;

namespace Smae.Export;

/// <summary>How well ONNX Runtime, on the CPU, agrees with TorchSharp in float32 about an exported model.</summary>
/// <param name="Images">Images that were compared.</param>
/// <param name="MaxDifference">The largest absolute difference between two numbers, over all outputs.</param>
/// <param name="Magnitude">The largest absolute number that TorchSharp gave in the output where the difference is largest relative to it.</param>
/// <param name="RelativeDifference">
/// The largest difference of an output as a share of its magnitude: what <paramref name="Tolerance"/> limits.
/// </param>
/// <param name="Tolerance">What was allowed.</param>
/// <param name="Top1Agreement">For a classifier the share of images for which both find the same class, 0 to 1; else null.</param>
public sealed record OnnxProof(
    long Images, double MaxDifference, double Magnitude, double RelativeDifference, double Tolerance, double? Top1Agreement)
{
    /// <summary>One line for people.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Images} images, largest difference {MaxDifference:G3} ({RelativeDifference:G2} of the largest number)")
        + (Top1Agreement is { } top ? string.Create(CultureInfo.InvariantCulture, $", {top:P1} of classes agree") : "");
}
