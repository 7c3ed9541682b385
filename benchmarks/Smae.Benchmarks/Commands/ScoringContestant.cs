namespace Smae.Benchmarks;

/// <summary>A way to make embeddings of all images.</summary>
/// <param name="Name">What it is.</param>
/// <param name="FromFiles">Whether it starts from image files; else from pixels in memory.</param>
/// <param name="Embed">Embeds all images, <c>[images, dim]</c>.</param>
internal sealed record ScoringContestant(string Name, bool FromFiles, Action<float[]> Embed);
