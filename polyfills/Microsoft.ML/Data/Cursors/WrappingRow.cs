namespace Microsoft.ML.Data;

/// <summary>A row over another row.</summary>
internal abstract class WrappingRow : DataViewRow
{
    private bool _disposed;

    private protected WrappingRow(DataViewRow input) => Input = input;

    public sealed override long Batch => Input.Batch;

    public sealed override long Position => Input.Position;

    protected DataViewRow Input { get; }

    public override ValueGetter<DataViewRowId> GetIdGetter() => Input.GetIdGetter();

    protected sealed override void Dispose(bool disposing)
    {
        if (_disposed)
            return;
        // What was made last goes first.
        DisposeCore(disposing);
        if (disposing)
            Input.Dispose();
        _disposed = true;
    }

    protected virtual void DisposeCore(bool disposing)
    {
    }
}
