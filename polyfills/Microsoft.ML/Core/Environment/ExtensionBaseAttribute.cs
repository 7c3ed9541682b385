namespace Microsoft.ML;

/// <summary>Gives a class a contract name.</summary>
[AttributeUsage(AttributeTargets.Class)]
public abstract class ExtensionBaseAttribute : Attribute
{
    private protected ExtensionBaseAttribute(string contractName) => ContractName = contractName;

    public string ContractName { get; }
}
