namespace Microsoft.ML;

/// <summary>
/// Marks a class of this library that loads what a model file holds under a signature, by its
/// <c>static object Create(IHostEnvironment env, ModelLoadContext ctx)</c> of any visibility and any narrower result.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class LoadableModelAttribute(string signature) : Attribute
{
    public string Signature { get; } = signature;
}
