namespace ExistingApp;

/// <summary>An image of the gallery and how like it is to the one asked about: the cosine of their embeddings.</summary>
internal sealed record Neighbor(string Name, string Url, float Similarity);
