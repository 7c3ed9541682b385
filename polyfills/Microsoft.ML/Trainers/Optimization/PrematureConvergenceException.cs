namespace Microsoft.ML.Numeric;

/// <summary>Rounding leaves the optimizer nowhere to go: what it has is the result.</summary>
internal sealed class PrematureConvergenceException(float[] point, string message) : Exception(message)
{
    public float[] Point { get; } = point;
}
