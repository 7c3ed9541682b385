using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>The rows from a place on, up to a number; always in order.</summary>
internal sealed class SkipTakeFilter(IHostEnvironment env, IDataView input, long skip, long take) : TransformBase(env, "SkipTakeFilter", input)
{
    public override bool CanShuffle => false;

    public override DataViewSchema Schema => Source.Schema;

    public override long? GetRowCount() => Source.GetRowCount() is { } count ? Math.Min(Math.Max(0, count - skip), take) : null;

    public override DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null) =>
        [GetRowCursorCore(columnsNeeded, null)];

    protected override bool? ShouldUseParallelCursors(Func<int, bool> predicate) => false;

    protected override DataViewRowCursor GetRowCursorCore(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand) =>
        new Cursor(Host, Source.GetRowCursor(columnsNeeded), Schema, RowCursorUtils.ActiveColumns(columnsNeeded, Schema), skip, take);

    private sealed class Cursor(IChannelProvider provider, DataViewRowCursor input, DataViewSchema schema, bool[] active, long skip, long take)
        : LinkedRowCursorBase(provider, input, schema, active)
    {
        private long _taken;

        public override long Batch => 0;

        protected override bool MoveNextCore()
        {
            if (_taken >= take)
                return false;
            for (long i = 0; _taken == 0 && i < skip; i++)
            {
                if (!Root.MoveNext())
                    return false;
            }

            _taken++;
            return Root.MoveNext();
        }
    }
}
