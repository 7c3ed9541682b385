namespace Microsoft.ML.Numeric;

/// <summary>The value of a differentiable function at a point; the gradient there is written, not added.</summary>
internal delegate float Objective(ReadOnlySpan<float> point, Span<float> gradient);
