namespace Microsoft.ML.Data;

/// <summary>The value of one field.</summary>
internal sealed class ScalarTextField<T>(TextColumn column, FieldParser<T> parser) : TextField
{
    private T _value;

    public override Delegate Getter => (ValueGetter<T>)((ref T value) => value = _value);

    public override void Parse(List<string> fields, long line) =>
        _value = parser.Parse(fields, column.Fields[0], text => $"Could not parse value {text} in line {line}, column {column.Name}");
}
