namespace Microsoft.ML.Transforms;

/// <summary>Names the contract of a factory, so that a loaded model finds it.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class CustomMappingFactoryAttributeAttribute : ExtensionBaseAttribute
{
    public CustomMappingFactoryAttributeAttribute(string contractName)
        : base(contractName)
    {
    }
}
