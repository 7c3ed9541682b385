namespace Microsoft.ML;

/// <summary>A row that moves; its getters stay valid as it does.</summary>
public abstract class DataViewRowCursor : DataViewRow
{
    public abstract bool MoveNext();
}
