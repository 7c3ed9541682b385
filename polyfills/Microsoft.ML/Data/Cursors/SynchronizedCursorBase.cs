using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A cursor that moves as its input does.</summary>
internal abstract class SynchronizedCursorBase : DataViewRowCursor
{
    protected readonly IChannel Ch;

    private bool _disposed;

    protected SynchronizedCursorBase(IChannelProvider provider, DataViewRowCursor input)
    {
        Ch = provider.Start("Cursor");
        Input = input;
        // A chain of these moves its first cursor directly.
        Root = input is SynchronizedCursorBase synchronized ? synchronized.Root : input;
    }

    public sealed override long Position => Root.Position;

    public sealed override long Batch => Root.Batch;

    internal DataViewRowCursor Root { get; }

    protected DataViewRowCursor Input { get; }

    public sealed override bool MoveNext() => Root.MoveNext();

    public sealed override ValueGetter<DataViewRowId> GetIdGetter() => Input.GetIdGetter();

    protected override void Dispose(bool disposing)
    {
        if (_disposed)
            return;
        _disposed = true;
        if (disposing)
        {
            Input.Dispose();
            Ch.Dispose();
        }

        base.Dispose(disposing);
    }
}
