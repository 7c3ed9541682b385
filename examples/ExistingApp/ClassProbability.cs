namespace ExistingApp;

/// <summary>A class and how likely it is, 0 to 1.</summary>
internal sealed record ClassProbability(string Label, float Probability);
