namespace Microsoft.ML.Data;

/// <summary>Writes the values of one column into a batch.</summary>
internal abstract class ColumnWriter
{
    public abstract void Write(int index);

    public abstract Array Detach();
}
