namespace Smae.MLNet;

/// <summary>The numbers that a model gave for the row which is current at the time of the call.</summary>
internal delegate ReadOnlySpan<float> RowScores();
