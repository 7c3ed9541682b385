namespace Smae.Training;

/// <summary>An image that could not be read.</summary>
/// <param name="Row">Its place in the list of paths.</param>
/// <param name="Message">What is wrong with it.</param>
public sealed record CachedProblem(long Row, string Message);
