namespace Microsoft.ML.Data;

/// <summary>The names that trainers and evaluators assume.</summary>
internal static class DefaultColumnNames
{
    public const string Features = "Features";
    public const string Label = "Label";
    public const string GroupId = "GroupId";
    public const string Name = "Name";
    public const string Weight = "Weight";
    public const string Score = "Score";
    public const string Probability = "Probability";
    public const string PredictedLabel = "PredictedLabel";
}
