using System.Reflection;
using TorchSharp.Utils;

namespace TorchSharp;

/// <summary>The names that fields give to components of a module.</summary>
public static class FieldInfoExtensionMethods
{
    public static string ComponentName(this FieldInfo field) => field.GetCustomAttribute<ComponentNameAttribute>()?.Name ?? field.Name;
}
