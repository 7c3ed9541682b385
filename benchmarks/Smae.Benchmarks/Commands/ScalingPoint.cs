namespace Smae.Benchmarks;

/// <summary>A train step that was measured.</summary>
/// <param name="Label">What tells it from the others.</param>
/// <param name="X">Where it stands on its family's axis.</param>
/// <param name="TokensSeen">Tokens of an image that the encoder sees.</param>
/// <param name="Batch">Images.</param>
/// <param name="Gigaflop">Its matrix products.</param>
/// <param name="Step">Its seconds.</param>
internal sealed record ScalingPoint(string Label, double X, int TokensSeen, int Batch, double Gigaflop, Spread Step);
