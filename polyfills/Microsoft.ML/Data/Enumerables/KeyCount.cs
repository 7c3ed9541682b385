namespace Microsoft.ML.Data;

/// <summary>How many values a key has, if that is known.</summary>
public sealed class KeyCount
{
    public ulong? Count;

    public KeyCount()
    {
    }

    public KeyCount(ulong count) => Count = count;
}
