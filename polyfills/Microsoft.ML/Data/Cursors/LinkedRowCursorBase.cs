using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A cursor over the same columns as its input, but not over the same rows.</summary>
internal abstract class LinkedRowCursorBase : RootCursorBase
{
    private readonly bool[] _active;
    private bool _disposed;

    protected LinkedRowCursorBase(IChannelProvider provider, DataViewRowCursor input, DataViewSchema schema, bool[] active)
        : base(provider)
    {
        _active = active;
        Schema = schema;
        Input = input;
        Root = input is SynchronizedCursorBase synchronized ? synchronized.Root : input;
    }

    public sealed override DataViewSchema Schema { get; }

    protected DataViewRowCursor Input { get; }

    protected DataViewRowCursor Root { get; }

    public sealed override bool IsColumnActive(DataViewSchema.Column column)
    {
        Ch.Check(column.Index < Schema.Count);
        return _active[column.Index];
    }

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => Input.GetGetter<TValue>(column);

    public override ValueGetter<DataViewRowId> GetIdGetter() => Input.GetIdGetter();

    protected override void Dispose(bool disposing)
    {
        if (_disposed)
            return;
        _disposed = true;
        if (disposing)
            Input.Dispose();
        base.Dispose(disposing);
    }
}
