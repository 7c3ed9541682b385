namespace Microsoft.ML.Data;

/// <summary>Says which fields of a text line a member is made of.</summary>
[AttributeUsage(AttributeTargets.Field | AttributeTargets.Property, AllowMultiple = false, Inherited = true)]
public sealed class LoadColumnAttribute : Attribute
{
    public LoadColumnAttribute(int fieldIndex) => Sources = [new(fieldIndex)];

    public LoadColumnAttribute(int start, int end) => Sources = [new(start, end)];

    public LoadColumnAttribute(int[] columnIndexes) => Sources = [.. columnIndexes.Select(i => new TextLoader.Range(i))];

    internal TextLoader.Range[] Sources { get; }
}
