using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A row over an object that is set from outside.</summary>
internal sealed class InputRow<TRow> : DataViewRow
    where TRow : class
{
    private readonly IHost _host;
    private readonly Delegate[] _getters;
    private long _position = -1;
    private TRow _value;

    public InputRow(IHostEnvironment env, MemberColumn[] columns)
    {
        _host = env.Register("Row");
        Schema = MemberColumn.MakeSchema(columns);
        _getters = [.. columns.Select(c => ObjectGetters<TRow>.Create(c)(Current))];
    }

    public override DataViewSchema Schema { get; }

    public override long Position => _position;

    public override long Batch => 0;

    public static InputRow<TRow> Create(IHostEnvironment env, SchemaDefinition definition) =>
        new(env, definition == null
            ? MemberColumn.Create(typeof(TRow), SchemaDefinition.Direction.Read)
            : MemberColumn.Create(typeof(TRow), definition));

    public void ExtractValues(TRow row)
    {
        _host.CheckValue(row, nameof(row));
        _value = row;
        _position++;
    }

    public override bool IsColumnActive(DataViewSchema.Column column)
    {
        _host.Check(column.Index < _getters.Length, $"Column index must be between 0 and {_getters.Length}");
        return true;
    }

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        _host.CheckParam(column.Index < _getters.Length, nameof(column), "requested column not active");
        return RowCursorUtils.Cast<TValue>(_getters[column.Index]);
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() =>
        (ref DataViewRowId value) => value = new DataViewRowId((ulong)Position, 0);

    private TRow Current()
    {
        _host.Check(Position >= 0, RowCursorUtils.FetchValueStateError);
        return _value;
    }
}
