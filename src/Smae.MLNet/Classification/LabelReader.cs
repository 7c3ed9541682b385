using Microsoft.ML;
using Microsoft.ML.Data;

namespace Smae.MLNet;

/// <summary>Reads the classes of rows, counted from 0; -1 is a missing label.</summary>
internal sealed class LabelReader
{
    private readonly Func<DataViewRow, Func<int>> _open;

    private LabelReader(DataViewSchema.Column column, Func<DataViewRow, Func<int>> open, string orNotAClass = "")
    {
        Column = column;
        _open = open;
        OrNotAClass = orNotAClass;
    }

    /// <summary>The label column.</summary>
    public DataViewSchema.Column Column { get; }

    /// <summary>What else a missing label can mean, for messages: begins with a comma, or is empty.</summary>
    public string OrNotAClass { get; }

    /// <summary>A reader of the keys that <paramref name="classes"/> were made of.</summary>
    public static LabelReader OfKeys(DataViewSchema.Column column, LabelClasses classes) =>
        new(column, row => Keys(row, column, key => key <= (uint)classes.Count ? (int)key - 1 : -1));

    /// <summary>
    /// A reader of labels that are compared with those of the training data: keys made of the same values, in whatever order, or the values
    /// themselves where they are text.
    /// </summary>
    /// <param name="schema">The schema of the validation data.</param>
    /// <param name="name">The label column.</param>
    /// <param name="classes">The classes of the training data.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it is neither.</exception>
    public static LabelReader OfValidation(DataViewSchema schema, string name, LabelClasses classes)
    {
        const string role = "label", parameter = "validationData", orNotAClass = ", or one that the training data does not have";
        var column = schema.GetColumnOrNull(name)
            ?? throw SchemaErrors.Missing(role, name, schema.Select(column => column.Name), parameter);
        if (column.Type is KeyDataViewType && column.Type.RawType == typeof(uint))
        {
            var own = LabelClasses.Of(column);
            if (!own.HaveValues || !classes.HaveValues || own.Names.SequenceEqual(classes.Names))
                return OfKeys(column, classes);
            var indices = IndicesOf(classes);
            int[] classOfKey = [.. own.Names.Select(value => indices.GetValueOrDefault(value, -1))];
            return new LabelReader(column, row => Keys(row, column, key => key <= (uint)classOfKey.Length ? classOfKey[key - 1] : -1), orNotAClass);
        }
        if (column.Type is TextDataViewType && classes.AreText)
        {
            var indices = IndicesOf(classes);
            return new LabelReader(column, row => Texts(row, column, indices), orNotAClass);
        }
        throw SchemaErrors.Mismatch(
            role, name, classes.AreText ? "Key<UInt32> or the labels as Text" : "Key<UInt32>", column.Type.ToString()!,
            "Transform the validation data by the same steps as the training data.", parameter);
    }

    /// <summary>A function that gives the class of <paramref name="row"/>, wherever it then stands.</summary>
    public Func<int> Open(DataViewRow row) => _open(row);

    private static Func<int> Keys(DataViewRow row, DataViewSchema.Column column, Func<uint, int> classOf)
    {
        var getter = row.GetGetter<uint>(column);
        return () =>
        {
            uint key = 0;
            getter(ref key);
            return key == 0 ? -1 : classOf(key);
        };
    }

    private static Func<int> Texts(DataViewRow row, DataViewSchema.Column column, Dictionary<string, int> indices)
    {
        var getter = row.GetGetter<ReadOnlyMemory<char>>(column);
        return () =>
        {
            ReadOnlyMemory<char> text = default;
            getter(ref text);
            return indices.GetValueOrDefault(text.ToString(), -1);
        };
    }

    private static Dictionary<string, int> IndicesOf(LabelClasses classes)
    {
        var indices = new Dictionary<string, int>();
        for (int i = 0; i < classes.Count; i++)
            indices.TryAdd(classes.Names[i], i);
        return indices;
    }
}
