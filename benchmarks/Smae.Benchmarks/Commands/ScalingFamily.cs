namespace Smae.Benchmarks;

/// <summary>Train steps that differ in one thing.</summary>
/// <param name="Name">That thing.</param>
/// <param name="Figure">The same, in the name of a figure.</param>
/// <param name="Axis">What the horizontal axis counts.</param>
/// <param name="Members">The steps.</param>
/// <param name="Label">What tells a step from the others.</param>
/// <param name="X">Where it stands on the axis.</param>
internal sealed record ScalingFamily(
    string Name, string Figure, string Axis, IReadOnlyList<SideSettings> Members, Func<SideSettings, string> Label, Func<SideSettings, double> X);
