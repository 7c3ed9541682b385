namespace ScoreSavedModel;

/// <summary>What the model says of an image.</summary>
internal sealed class ScoredImage
{
    public string ImagePath { get; set; } = "";

    public string PredictedLabel { get; set; } = "";

    /// <summary>The probabilities of all classes.</summary>
    public float[] Score { get; set; } = [];
}
