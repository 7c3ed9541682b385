namespace Microsoft.ML.Data;

/// <summary>The kept values of one column.</summary>
internal abstract class ColumnCache(CacheFill fill)
{
    public CacheFill Fill { get; } = fill;

    public abstract void CacheCurrent();
}
