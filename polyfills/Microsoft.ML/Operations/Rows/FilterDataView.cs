using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Some rows of a data view, picked one by one.</summary>
internal abstract class FilterDataView : TransformBase
{
    protected FilterDataView(IHostEnvironment env, string name, IDataView input)
        : base(env, name, input)
    {
    }

    public sealed override DataViewSchema Schema => Source.Schema;

    public sealed override long? GetRowCount() => null;

    public override DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null)
    {
        bool[] active = RowCursorUtils.ActiveColumns(columnsNeeded, Schema);
        return [.. Source.GetRowCursorSet(InputsOf(active), n, rand).Select(input => new Cursor(Host, input, active, CreateTest(input)))];
    }

    protected sealed override DataViewRowCursor GetRowCursorCore(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand)
    {
        bool[] active = RowCursorUtils.ActiveColumns(columnsNeeded, Schema);
        DataViewRowCursor input = Source.GetRowCursor(InputsOf(active), rand);
        return new Cursor(Host, input, active, CreateTest(input));
    }

    protected override bool? ShouldUseParallelCursors(Func<int, bool> predicate) => null;

    /// <summary>Whether the test reads a column.</summary>
    protected abstract bool Tests(int column);

    /// <summary>Makes the test of the row that a cursor is at.</summary>
    protected abstract Func<bool> CreateTest(DataViewRowCursor input);

    private DataViewSchema.Column[] InputsOf(bool[] active) => [.. Schema.Where(c => active[c.Index] || Tests(c.Index))];

    private sealed class Cursor(IChannelProvider provider, DataViewRowCursor input, bool[] active, Func<bool> test)
        : FilterCursorBase(provider, input, input.Schema, active)
    {
        protected override bool Accept() => test();
    }
}
