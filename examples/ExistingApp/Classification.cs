namespace ExistingApp;

/// <summary>The class of an image, and the likeliest classes in order.</summary>
internal sealed record Classification(string Label, IReadOnlyList<ClassProbability> Likeliest);
