namespace Smae.Export;

/// <summary>A linear map of a model's output, <c>y = matrix x + offset</c>.</summary>
/// <param name="Matrix">Row by row, <c>[rows, columns]</c>: as many rows as numbers come out.</param>
/// <param name="Offset">A number for each row.</param>
public sealed record LinearMap(float[] Matrix, float[] Offset);
