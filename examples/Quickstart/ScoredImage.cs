namespace Quickstart;

/// <summary>An image and what a classifier says of it.</summary>
internal sealed class ScoredImage
{
    public string ImagePath { get; set; } = "";

    public string PredictedLabel { get; set; } = "";

    /// <summary>The probabilities of all classes.</summary>
    public float[] Score { get; set; } = [];
}
