namespace Microsoft.ML.Data;

/// <summary>Arrays for the values of one column.</summary>
internal abstract class ColumnPool
{
    public abstract ColumnWriter CreateWriter(Delegate getter);

    public abstract ColumnReader CreateReader();
}
