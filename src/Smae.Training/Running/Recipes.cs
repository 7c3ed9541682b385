namespace Smae.Training;

/// <summary>Settings of published work.</summary>
public static class Recipes
{
    /// <summary>x</summary>
    public static SupervisedOptions SmaeCritic { get; } = new();
}
