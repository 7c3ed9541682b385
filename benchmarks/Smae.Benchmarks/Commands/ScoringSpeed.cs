namespace Smae.Benchmarks;

/// <summary>How fast a way to make embeddings was.</summary>
/// <param name="Name">What it is.</param>
/// <param name="From">What it starts from: memory or files.</param>
/// <param name="ImagesPerSecond">The median of the rounds.</param>
/// <param name="Slowest">The slowest round.</param>
/// <param name="Fastest">The fastest round.</param>
/// <param name="OfApplyOnnxModel">The median as a multiple of that of ML.NET's ApplyOnnxModel from the same start.</param>
/// <param name="MaxDifference">The largest difference of an embedding's number from TorchSharp's.</param>
internal sealed record ScoringSpeed(
    string Name, string From, double ImagesPerSecond, double Slowest, double Fastest, double OfApplyOnnxModel, double MaxDifference);
