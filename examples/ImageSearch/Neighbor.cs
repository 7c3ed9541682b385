namespace ImageSearch;

/// <summary>An image that was found.</summary>
/// <param name="Path">The file.</param>
/// <param name="Similarity">Cosine of the angle between the two embeddings, seen from the mean of all: 1 is the same direction.</param>
internal sealed record Neighbor(string Path, float Similarity);
