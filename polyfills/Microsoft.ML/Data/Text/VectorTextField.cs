namespace Microsoft.ML.Data;

/// <summary>The values of several fields.</summary>
internal sealed class VectorTextField<T>(TextColumn column, FieldParser<T> parser) : TextField
{
    private readonly List<T> _values = [];

    public override Delegate Getter => (ValueGetter<VBuffer<T>>)((ref VBuffer<T> value) =>
    {
        VBufferEditor<T> editor = VBufferEditor.Create(ref value, _values.Count);
        _values.CopyTo(editor.Values);
        value = editor.Commit();
    });

    public override void Parse(List<string> fields, long line)
    {
        _values.Clear();
        foreach (int field in column.Fields)
            Add(field);
        for (int field = column.VariableFrom ?? fields.Count; field < fields.Count; field++)
            Add(field);

        void Add(int field) => _values.Add(
            parser.Parse(fields, field, text => $"Could not parse value {text} in slot {_values.Count} of column {column.Name} in line {line}"));
    }
}
