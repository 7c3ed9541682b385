using Microsoft.ML.Data;
using Microsoft.ML.Internal.Utilities;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Runs a user's code once a row, however many of its columns are read.</summary>
internal sealed class CustomMapper<TSrc, TDst> : IRowMapper
    where TSrc : class, new()
    where TDst : class, new()
{
    private readonly IHost _host;
    private readonly Action<TSrc, TDst> _mapAction;
    private readonly MemberColumn[] _added;
    private readonly RowFiller<TSrc> _filler;

    public CustomMapper(IHost host, DataViewSchema inputSchema, Action<TSrc, TDst> mapAction, MemberColumn[] added, SchemaDefinition inputDefinition)
    {
        _host = host;
        _mapAction = mapAction;
        _added = added;
        _filler = new RowFiller<TSrc>(host, inputSchema, ignoreMissingColumns: false, inputDefinition);
    }

    public Func<int, bool> GetDependencies(Func<int, bool> activeOutput) =>
        Enumerable.Range(0, _added.Length).Any(activeOutput) ? _filler.Needs : _ => false;

    public DataViewSchema.DetachedColumn[] GetOutputColumns() =>
        [.. _added.Select(c => new DataViewSchema.DetachedColumn(c.ColumnName, c.ColumnType, c.Annotations))];

    public Delegate[] CreateGetters(DataViewRow input, Func<int, bool> activeOutput, out Action disposer)
    {
        disposer = null;
        var getters = new Delegate[_added.Length];
        if (!Enumerable.Range(0, _added.Length).Any(activeOutput))
            return getters;

        var source = new TSrc();
        var result = new TDst();
        var resultRow = new InputRow<TDst>(_host, _added);
        Action<TSrc> fill = _filler.CreateFill(input);
        long lastPosition = -1;
        for (int i = 0; i < getters.Length; i++)
        {
            if (activeOutput(i))
                getters[i] = Generic.Invoke<Delegate>(Refreshing<int>, _added[i].ColumnType.RawType, resultRow, i, (Action)Refresh);
        }

        return getters;

        void Refresh()
        {
            if (lastPosition == input.Position)
                return;
            fill(source);
            _mapAction(source, result);
            resultRow.ExtractValues(result);
            lastPosition = input.Position;
        }
    }

    private static ValueGetter<T> Refreshing<T>(DataViewRow row, int col, Action refresh)
    {
        ValueGetter<T> getter = row.GetGetter<T>(row.Schema[col]);
        return (ref T value) =>
        {
            refresh();
            getter(ref value);
        };
    }
}
