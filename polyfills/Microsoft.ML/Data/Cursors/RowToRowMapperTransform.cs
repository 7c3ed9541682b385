using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>The data view of a row-to-row transformer, and its mapper for single rows.</summary>
internal sealed class RowToRowMapperTransform : TransformBase, IRowToRowMapper
{
    private readonly IRowMapper _mapper;
    private readonly ColumnBindings _bindings;

    public RowToRowMapperTransform(IHostEnvironment env, IDataView input, IRowMapper mapper)
        : base(env, nameof(RowToRowMapperTransform), input)
    {
        _mapper = mapper;
        _bindings = new ColumnBindings(input.Schema, mapper.GetOutputColumns());
    }

    public override DataViewSchema Schema => _bindings.Schema;

    public DataViewSchema InputSchema => Source.Schema;

    public DataViewSchema OutputSchema => Schema;

    public static DataViewSchema GetOutputSchema(DataViewSchema inputSchema, IRowMapper mapper) =>
        new ColumnBindings(inputSchema, mapper.GetOutputColumns()).Schema;

    public override long? GetRowCount() => Source.GetRowCount();

    public override DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random rand = null)
    {
        bool[] active = RowCursorUtils.ActiveColumns(columnsNeeded, Schema);
        DataViewRowCursor[] inputs = Source.GetRowCursorSet(InputsOf(active), n, rand);
        if (inputs.Length == 1 && n > 1 && _bindings.AddedColumnIndices.Any(i => active[i]))
            inputs = ParallelCursors.Split(Host, inputs[0], n);
        return [.. inputs.Select(input => new Cursor(Host, input, this, active))];
    }

    IEnumerable<DataViewSchema.Column> IRowToRowMapper.GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns) =>
        InputsOf(RowCursorUtils.ActiveColumns(dependingColumns, Schema));

    DataViewRow IRowToRowMapper.GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        Host.CheckValue(input, nameof(input));
        Host.CheckValue(activeColumns, nameof(activeColumns));
        Host.Check(input.Schema == Source.Schema, "The row's schema is not the one that the mapper is bound to");
        using IChannel ch = Host.Start("GetEntireRow");
        bool[] active = RowCursorUtils.ActiveColumns(activeColumns, Schema);
        Delegate[] getters = _mapper.CreateGetters(input, ActiveAmongAdded(active), out Action disposer);
        return new MappedRow(input, _bindings, getters, disposer);
    }

    protected override bool? ShouldUseParallelCursors(Func<int, bool> predicate) => _bindings.AddedColumnIndices.Any(predicate) ? true : null;

    protected override DataViewRowCursor GetRowCursorCore(IEnumerable<DataViewSchema.Column> columnsNeeded, Random rand)
    {
        bool[] active = RowCursorUtils.ActiveColumns(columnsNeeded, Schema);
        return new Cursor(Host, Source.GetRowCursor(InputsOf(active), rand), this, active);
    }

    private Func<int, bool> ActiveAmongAdded(bool[] active) =>
        added => added >= 0 && added < _bindings.AddedColumnIndices.Length && active[_bindings.AddedColumnIndices[added]];

    private DataViewSchema.Column[] InputsOf(bool[] active)
    {
        bool[] passing = _bindings.GetActiveInput(c => active[c]);
        Func<int, bool> needed = _mapper.GetDependencies(ActiveAmongAdded(active));
        return [.. _bindings.InputSchema.Where(c => passing[c.Index] || needed(c.Index))];
    }

    private sealed class MappedRow(DataViewRow input, ColumnBindings bindings, Delegate[] getters, Action disposer) : WrappingRow(input)
    {
        public override DataViewSchema Schema => bindings.Schema;

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            int index = bindings.MapColumnIndex(out bool isSource, column.Index);
            return isSource ? Input.GetGetter<TValue>(Input.Schema[index]) : RowCursorUtils.Cast<TValue>(getters[index]);
        }

        public override bool IsColumnActive(DataViewSchema.Column column)
        {
            int index = bindings.MapColumnIndex(out bool isSource, column.Index);
            return isSource ? Input.IsColumnActive(Input.Schema[index]) : getters[index] != null;
        }

        protected override void DisposeCore(bool disposing)
        {
            if (disposing)
                disposer?.Invoke();
        }
    }

    private sealed class Cursor : SynchronizedCursorBase
    {
        private readonly ColumnBindings _bindings;
        private readonly bool[] _active;
        private readonly Delegate[] _getters;
        private readonly Action _disposer;
        private bool _disposed;

        public Cursor(IChannelProvider provider, DataViewRowCursor input, RowToRowMapperTransform parent, bool[] active)
            : base(provider, input)
        {
            _bindings = parent._bindings;
            _active = active;
            _getters = parent._mapper.CreateGetters(input, parent.ActiveAmongAdded(active), out _disposer);
        }

        public override DataViewSchema Schema => _bindings.Schema;

        public override bool IsColumnActive(DataViewSchema.Column column)
        {
            Ch.Check(column.Index < _active.Length);
            return _active[column.Index];
        }

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            Ch.Check(IsColumnActive(column));
            int index = _bindings.MapColumnIndex(out bool isSource, column.Index);
            return isSource ? Input.GetGetter<TValue>(Input.Schema[index]) : RowCursorUtils.Cast<TValue>(_getters[index]);
        }

        protected override void Dispose(bool disposing)
        {
            if (_disposed)
                return;
            _disposed = true;
            if (disposing)
                _disposer?.Invoke();
            base.Dispose(disposing);
        }
    }
}
