using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Makes a column of keys of an unsigned member; the member's values start at 0.</summary>
[AttributeUsage(AttributeTargets.Field | AttributeTargets.Property, AllowMultiple = false, Inherited = true)]
public sealed class KeyTypeAttribute : Attribute
{
    public KeyTypeAttribute() => throw Contracts.ExceptNotSupp("A key type needs a count.");

    public KeyTypeAttribute(ulong count) => KeyCount = new KeyCount(count);

    internal KeyCount KeyCount { get; }
}
