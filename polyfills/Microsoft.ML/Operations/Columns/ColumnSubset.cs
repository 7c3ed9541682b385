using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Some of the columns of a data view, in some order.</summary>
internal sealed class ColumnSubset : IDataView, IRowToRowMapper
{
    private readonly IHost _host;
    private readonly IDataView _source;
    private readonly int[] _map;

    public ColumnSubset(IHostEnvironment env, string name, IDataView source, int[] map)
    {
        _host = env.Register(name);
        _source = source;
        _map = map;
        Schema = SchemaOf(source.Schema, map);
    }

    public bool CanShuffle => _source.CanShuffle;

    public DataViewSchema Schema { get; }

    public DataViewSchema InputSchema => _source.Schema;

    public DataViewSchema OutputSchema => Schema;

    public static DataViewSchema SchemaOf(DataViewSchema source, int[] map) =>
        ColumnTypeExtensions.MakeSchema(map.Select(i => new DataViewSchema.DetachedColumn(source[i])));

    /// <summary>The columns whose values may be kept; images, for one, are left out.</summary>
    public static IDataView OfCacheable(IHostEnvironment env, IDataView source) =>
        ParallelCursors.AllCacheable(source.Schema)
            ? source
            : new ColumnSubset(env, "ChooseColumnsByIndex", source, [.. source.Schema.Where(c => c.Type.IsCacheable()).Select(c => c.Index)]);

    public long? GetRowCount() => _source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand = null)
    {
        bool[] active = RowCursorUtils.ActiveColumns(columnsNeeded, Schema);
        return new Cursor(_host, Schema, _map, _source.GetRowCursor(GetDependencies(columnsNeeded), rand), active);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null)
    {
        bool[] active = RowCursorUtils.ActiveColumns(columnsNeeded, Schema);
        DataViewRowCursor[] inputs = _source.GetRowCursorSet(GetDependencies(columnsNeeded), n, rand);
        return [.. inputs.Select(input => new Cursor(_host, Schema, _map, input, active))];
    }

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns)
    {
        HashSet<int> needed = [.. dependingColumns.Select(c => _map[c.Index])];
        return [.. _source.Schema.Where(c => needed.Contains(c.Index))];
    }

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns) => new SubsetRow(input, Schema, _map);

    private sealed class SubsetRow(DataViewRow input, DataViewSchema schema, int[] map) : WrappingRow(input)
    {
        public override DataViewSchema Schema => schema;

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) =>
            Input.GetGetter<TValue>(Input.Schema[map[column.Index]]);

        public override bool IsColumnActive(DataViewSchema.Column column) => true;
    }

    private sealed class Cursor(IChannelProvider provider, DataViewSchema schema, int[] map, DataViewRowCursor input, bool[] active)
        : SynchronizedCursorBase(provider, input)
    {
        public override DataViewSchema Schema => schema;

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) =>
            Input.GetGetter<TValue>(Input.Schema[map[column.Index]]);

        public override bool IsColumnActive(DataViewSchema.Column column) => active[column.Index];
    }
}
