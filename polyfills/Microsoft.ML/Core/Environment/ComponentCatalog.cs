using System.Reflection;

namespace Microsoft.ML.Runtime;

/// <summary>Knows the classes that carry a contract name, so that a loaded model finds a user's code again.</summary>
public sealed class ComponentCatalog
{
    private readonly HashSet<string> _assemblies = [];
    private readonly Dictionary<(Type Attribute, string Contract), Type> _extensions = [];
    private readonly Lock _gate = new();

    internal ComponentCatalog()
    {
    }

    public void RegisterAssembly(Assembly assembly, bool throwOnError = true)
    {
        lock (_gate)
        {
            if (!_assemblies.Add(assembly.FullName))
                return;
            foreach (Type type in assembly.GetTypes().Where(t => t.IsClass))
            {
                foreach (ExtensionBaseAttribute attribute in type.GetCustomAttributes<ExtensionBaseAttribute>())
                {
                    var key = (attribute.GetType(), attribute.ContractName);
                    if (_extensions.TryAdd(key, type) || !throwOnError)
                        continue;
                    throw Contracts.Except(
                        $"The contract '{attribute.ContractName}' is carried by both '{_extensions[key].FullName}' and '{type.FullName}'.");
                }
            }
        }
    }

    internal object GetExtensionValue(IHostEnvironment env, Type attributeType, string contractName)
    {
        Type type;
        lock (_gate)
            _extensions.TryGetValue((attributeType, contractName), out type);
        return type != null
            ? Activator.CreateInstance(type)
            : throw env.Except($"Unable to locate an extension for the contract '{contractName}'. Pass the assembly of the class that carries "
                + $"'{attributeType.FullName}' to {nameof(ComponentCatalog)}.{nameof(RegisterAssembly)}.");
    }
}
