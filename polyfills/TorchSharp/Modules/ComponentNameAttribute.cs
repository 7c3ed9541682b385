#nullable disable // as the real library's attribute is
namespace TorchSharp.Utils;

/// <summary>The name under which a field's content is registered with its module.</summary>
public class ComponentNameAttribute : Attribute
{
    public string Name { get; set; }
}
