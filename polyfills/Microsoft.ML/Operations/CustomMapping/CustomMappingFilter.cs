using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Leaves the rows out for which a user's code says yes.</summary>
internal sealed class CustomMappingFilter<TSrc> : IDataView
    where TSrc : class, new()
{
    private readonly IHost _host;
    private readonly IDataView _input;
    private readonly Func<TSrc, bool> _predicate;
    private readonly RowFiller<TSrc> _filler;

    public CustomMappingFilter(IHostEnvironment env, IDataView input, Func<TSrc, bool> predicate)
    {
        Contracts.CheckValue(env, nameof(env));
        _host = env.Register("CustomFilter");
        _host.CheckValue(input, nameof(input));
        _host.CheckValue(predicate, nameof(predicate));
        _input = input;
        _predicate = predicate;
        _filler = new RowFiller<TSrc>(_host, input.Schema, ignoreMissingColumns: false, null);
    }

    public bool CanShuffle => _input.CanShuffle;

    public DataViewSchema Schema => _input.Schema;

    public long? GetRowCount() => null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand = null)
    {
        DataViewSchema.Column[] columns = InputsOf(columnsNeeded);
        return CreateCursor(_input.GetRowCursor(columns, rand), columns);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null)
    {
        DataViewSchema.Column[] columns = InputsOf(columnsNeeded);
        return [.. _input.GetRowCursorSet(columns, n, rand).Select(input => CreateCursor(input, columns))];
    }

    private DataViewSchema.Column[] InputsOf(IEnumerable<DataViewSchema.Column> columnsNeeded)
    {
        bool[] active = RowCursorUtils.ActiveColumns(columnsNeeded, Schema);
        return [.. Schema.Where(c => active[c.Index] || _filler.Needs(c.Index))];
    }

    private Cursor CreateCursor(DataViewRowCursor input, DataViewSchema.Column[] columns) =>
        new(_host, input, RowCursorUtils.ActiveColumns(columns, Schema), _filler.CreateFill(input), _predicate);

    private sealed class Cursor(IChannelProvider provider, DataViewRowCursor input, bool[] active, Action<TSrc> fill, Func<TSrc, bool> predicate)
        : FilterCursorBase(provider, input, input.Schema, active)
    {
        private readonly TSrc _row = new();

        protected override bool Accept()
        {
            fill(_row);
            return !predicate(_row);
        }
    }
}
