using System.Reflection;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Saves and loads the contract of a custom mapping: its name, and the assembly where its factory is looked for.</summary>
[LoadableModel(LoaderSignature)]
internal static class CustomMappingLoader
{
    private const string LoaderSignature = "CustomTransformer";

    public static void Save(ModelSaveContext ctx, string contractName, string contractAssembly)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(LoaderSignature);
        ctx.SaveString(contractName);
        ctx.SaveString(contractAssembly);
    }

    private static ITransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        string contractName = ctx.LoadString();
        env.ComponentCatalog.RegisterAssembly(Assembly.Load(ctx.LoadString()));
        object factory = env.ComponentCatalog.GetExtensionValue(env, typeof(CustomMappingFactoryAttributeAttribute), contractName);
        return factory is ICustomMappingFactory mapping
            ? mapping.CreateTransformer(env, contractName)
            : throw env.Except($"The class with contract '{contractName}' must derive from '{typeof(CustomMappingFactory<,>).FullName}'.");
    }
}
