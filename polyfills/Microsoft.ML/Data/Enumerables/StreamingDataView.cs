using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A data view over objects; every cursor enumerates them anew.</summary>
internal sealed class StreamingDataView<TRow> : IDataView
    where TRow : class
{
    private readonly IHost _host;
    private readonly IEnumerable<TRow> _data;
    private readonly Func<Func<TRow>, Delegate>[] _getters;

    public StreamingDataView(IHostEnvironment env, IEnumerable<TRow> data, MemberColumn[] columns)
    {
        _host = env.Register(nameof(StreamingDataView<TRow>));
        _data = data;
        Schema = MemberColumn.MakeSchema(columns);
        _getters = [.. columns.Select(ObjectGetters<TRow>.Create)];
    }

    public bool CanShuffle => false;

    public DataViewSchema Schema { get; }

    public long? GetRowCount() => (_data as ICollection<TRow>)?.Count;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand = null) =>
        new Cursor(_host, this, RowCursorUtils.ActiveColumns(columnsNeeded, Schema));

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor : RootCursorBase
    {
        private readonly DataViewSchema _schema;
        private readonly Delegate[] _getters;
        private readonly IEnumerator<TRow> _rows;
        private TRow _current;

        public Cursor(IHost host, StreamingDataView<TRow> parent, bool[] active)
            : base(host)
        {
            _schema = parent.Schema;
            _getters = [.. parent._getters.Select((make, i) => active[i] ? make(() => _current) : null)];
            _rows = parent._data.GetEnumerator();
        }

        public override DataViewSchema Schema => _schema;

        public override long Batch => 0;

        public override bool IsColumnActive(DataViewSchema.Column column)
        {
            Ch.Check(column.Index < _getters.Length, $"Column index must be between 0 and {_getters.Length}");
            return _getters[column.Index] != null;
        }

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            Ch.CheckParam(IsColumnActive(column), nameof(column), "requested column not active");
            return RowCursorUtils.Cast<TValue>(_getters[column.Index]);
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) =>
        {
            Ch.Check(IsGood, RowCursorUtils.FetchValueStateError);
            value = new DataViewRowId((ulong)Position, 0);
        };

        protected override bool MoveNextCore()
        {
            bool any = _rows.MoveNext();
            _current = any ? _rows.Current : null;
            if (any && _current == null)
                throw Ch.Except("A row must not be null.");
            return any;
        }
    }
}
