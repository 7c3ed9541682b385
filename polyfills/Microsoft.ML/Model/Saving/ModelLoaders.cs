using System.Reflection;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>Finds the loader of a signature. Only this library's own classes can be loaded, as in ML.NET.</summary>
internal static class ModelLoaders
{
    private static readonly Lazy<Dictionary<string, Func<IHostEnvironment, ModelLoadContext, object>>> Known = new(FindAll);

    public static object Load(IHostEnvironment env, ModelLoadContext ctx) =>
        Known.Value.TryGetValue(ctx.LoaderSignature, out Func<IHostEnvironment, ModelLoadContext, object> create)
            ? create(env, ctx)
            : throw env.ExceptDecode($"Couldn't load model: no loader has the signature '{ctx.LoaderSignature}'.");

    private static Dictionary<string, Func<IHostEnvironment, ModelLoadContext, object>> FindAll()
    {
        var known = new Dictionary<string, Func<IHostEnvironment, ModelLoadContext, object>>();
        foreach (Type type in typeof(ModelLoaders).Assembly.GetTypes())
        {
            if (type.GetCustomAttribute<LoadableModelAttribute>() is not { } loadable)
                continue;
            MethodInfo create = type.GetMethod(
                "Create", BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic, [typeof(IHostEnvironment), typeof(ModelLoadContext)]);
            known.Add(loadable.Signature, create.CreateDelegate<Func<IHostEnvironment, ModelLoadContext, object>>());
        }

        return known;
    }
}
