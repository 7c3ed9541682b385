namespace Smae.Export;

/// <summary>An output of an exported graph.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">The value of the graph that it shows.</param>
/// <param name="Shape">Its dimensions after the batch.</param>
/// <param name="Doc">What it is.</param>
internal sealed record GraphOutput(string Name, string Value, long[] Shape, string Doc)
{
    /// <summary>Numbers for an image.</summary>
    public int Length => (int)Shape.Aggregate(1L, (a, b) => a * b);
}
