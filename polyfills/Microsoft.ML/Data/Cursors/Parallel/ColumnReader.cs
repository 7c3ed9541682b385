namespace Microsoft.ML.Data;

/// <summary>Reads the values of one column from a batch.</summary>
internal abstract class ColumnReader
{
    /// <summary>Starts with the first value of a batch, or gives the last batch back if there is none.</summary>
    public abstract void Set(Array values);

    public abstract void MoveNext();

    public abstract Delegate GetGetter();
}
